"""Plans of streams that return to a scanner, against those of streams that do not."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cl_seg.planning.context import StageContext
from cl_seg.planning.evaluations import scanners_to_test
from cl_seg.planning.runs import Run
from cl_seg.planning.stage_graph import plan_graph
from cl_seg.planning.stages import PlannedRun
from cl_seg.scans.splits import SPLIT_PARTS
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.settings import Image, Training
from cl_seg.strategies.registry import STRATEGIES

SCANNERS = "ABCD"
MODEL = ModelChoice.model_construct(name="unet", label="unet", preset="small")
SOURCES = ("untrained", "train", "consolidate", "rank", "evaluate", "load", "network unet")
NAMES = st.sampled_from(["naive", "single", "cumulative", "replay", "ewc", "norm_per_scanner"])
EVALUATE = st.sampled_from(["all", "seen", "every 2"])


@st.composite
def orders(draw: st.DrawFn, least: int = 1) -> tuple[str, ...]:
    """Orders in which no scanner follows itself."""
    order = [draw(st.sampled_from(SCANNERS))]
    for _ in range(draw(st.integers(least - 1, 5))):
        order.append(draw(st.sampled_from([s for s in SCANNERS if s != order[-1]])))
    return tuple(order)


def run_of(order: tuple[str, ...], strategy: str) -> Run:
    chosen = STRATEGIES[strategy].settings.model_validate(
        {"ewc_lambda": 1.0} if strategy == "ewc" else {}
    )
    choice = StrategyChoice.model_construct(
        name=strategy, label=strategy, settings=chosen.model_dump()
    )
    return Run("run", order, MODEL, choice, 0)


def planned(order: tuple[str, ...], strategy: str, evaluate: str = "all") -> PlannedRun:
    context = StageContext(
        name="suite",
        classes=["muscle"],
        image=Image(size=32),
        training=Training(steps=4, curve_every=2),
        models=[MODEL],
        strategies=[],
        store=Path("some.store"),
        scanners=SCANNERS,
        rows={},
        digests={(s, part): f"{s} {part}" for s in SCANNERS for part in SPLIT_PARTS},
        fingerprint="",
        environment=dict.fromkeys(["bfloat16", "device", *(f"source of {s}" for s in SOURCES)], ""),
        evaluate=evaluate,
    )
    return plan_graph(context, [run_of(order, strategy)]).runs[0]


def test_a_return_trains_on_the_same_slices_and_cumulative_training_on_all_so_far() -> None:
    order = ("A", "B", "A")
    assert run_of(order, "naive").experiences == (("A",), ("B",), ("A",))
    assert run_of(order, "cumulative").experiences == (("A",), ("A", "B"), ("A", "B"))
    assert run_of(order, "joint").experiences == (("A", "B"),)
    assert run_of(order, "naive").first_positions == {"A": 1, "B": 2}


@settings(max_examples=30, deadline=None)
@given(st.permutations(SCANNERS), st.integers(1, 4), NAMES)
def test_an_order_without_returns_is_planned_as_before(
    shuffled: list[str], length: int, strategy: str
) -> None:
    order = tuple(shuffled[:length])
    run, positions = run_of(order, strategy), range(1, length + 1)
    of_each = [order[:k] if strategy == "cumulative" else order[k - 1 : k] for k in positions]
    assert run.scanners == order and list(run.experiences) == of_each
    assert run.first_positions == {scanner: k for k, scanner in enumerate(order, start=1)}
    for position in range(length + 1):
        learned = {scanner for scanner, at in run.first_positions.items() if at <= position}
        assert scanners_to_test("seen", run, position) == learned
        near = {order[k] for k in (position - 1, position) if 0 <= k < length}
        whole = position in {length, 0} or position % 2 == 0
        assert scanners_to_test("every 2", run, position) == (set(order) if whole else near)
    keys = planned(order, strategy)
    assert len(set(keys.stage_keys)) == len(keys.stage_keys)


@settings(max_examples=30, deadline=None)
@given(orders(least=2), NAMES, EVALUATE, st.data())
def test_a_prefix_shares_its_stages_with_the_stream_that_returns(
    order: tuple[str, ...], strategy: str, evaluate: str, data: st.DataObject
) -> None:
    prefix = order[: data.draw(st.integers(1, len(order) - 1))]
    whole, part = planned(order, strategy, evaluate), planned(prefix, strategy, evaluate)
    assert whole.training_keys[: len(prefix)] == part.training_keys
    shared = whole.consolidation_keys[: len(part.consolidation_keys)]
    assert shared == part.consolidation_keys
    columns = len(part.run.scanners)
    for mine, theirs in zip(whole.evaluation_keys, part.evaluation_keys, strict=False):
        for a, b in zip(mine[:columns], theirs, strict=True):
            assert a == b or not a, "the last experience of a stream is tested on all scanners"


@settings(max_examples=30, deadline=None)
@given(orders(), NAMES, EVALUATE)
def test_every_experience_is_a_training_and_every_scanner_a_column(
    order: tuple[str, ...], strategy: str, evaluate: str
) -> None:
    found = planned(order, strategy, evaluate)
    assert len(set(found.training_keys)) == len(order)
    assert len(found.evaluation_keys) == len(order) + 1
    assert all(len(row) == len(set(order)) for row in found.evaluation_keys)
    if evaluate == "every 2":  # what is lost before a return, and regained by it
        for back, scanner in enumerate(order, start=1):
            column = found.run.scanners.index(scanner)
            assert all(found.evaluation_keys[at][column] for at in (back - 1, back))
