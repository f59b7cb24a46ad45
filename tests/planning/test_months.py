"""Streams by months: what each experience trains on, and what is refused."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.messages.errors import InputError
from cl_seg.planning.grid import plan_runs
from cl_seg.planning.months import with_months
from cl_seg.planning.plan import Plan, resolve
from cl_seg.planning.plan_file import plan_content
from cl_seg.planning.runs import month_part
from cl_seg.scans.rows import parse_ranges
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.settings import Training
from cl_seg.spec.suite import StreamSuite
from cl_seg.strategies.registry import STRATEGIES
from tests.suite.conftest import tiny_suite, write_store

SCANNERS = ["a", "b", "c"]
MONTHS = {"bright": [0, 0, 2, 2, 4, 4], "dark": [2, 2, 2, 4, 4, 4], "plain": [0, 4, 4, 5, 5, 5]}
BY_MONTHS = "experience: months\n"


@pytest.fixture(scope="module")
def months_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("stores") / "months.store", months=MONTHS)


def planned(text: str, folder: Path) -> Plan:
    path = folder / "suite.yaml"
    path.write_text(text)
    return resolve(path, cache=folder / "stages")


@given(
    st.lists(st.sets(st.sampled_from(SCANNERS), min_size=1), min_size=2, max_size=6),
    st.sampled_from(["naive", "cumulative", "joint", "ewc"]),
)
def test_every_month_is_an_experience(groups: list[set[str]], name: str) -> None:
    months = tuple(tuple(sorted(group)) for group in groups)
    scanners = sorted(set().union(*groups))
    suite = StreamSuite.model_construct(
        models=[ModelChoice.model_construct(name="unet", label="unet")],
        strategies=[StrategyChoice.model_construct(name=name, label=name, settings={})],
        seeds=[0],
    )
    (run,) = plan_runs(suite, scanners, months)
    assert run.scanners == tuple(scanners), "the columns of R"
    experiences = 1 if name == "joint" else len(months)
    assert len(run.experiences) == len(run.visits) == experiences, "the rows of R"
    last = run.selection(experiences)
    each = [(s, month_part(k)) for k, own in enumerate(months, start=1) for s in own]
    whole = [(scanner, "train") for scanner in scanners]
    expected = {"joint": whole, "cumulative": each}.get(name, each[-len(months[-1]) :])
    assert list(last) == expected
    assert all(run.first_visit(k) == k for k in range(1, experiences + 1)), "nothing is replaced"
    steps = run.steps_per_experience(Training(steps=10))
    several = {"joint": [len(months)], "cumulative": [*range(1, len(months) + 1)]}
    assert steps == [10 * k for k in several.get(name, [1] * len(months))]


@given(
    st.lists(
        st.tuples(st.sampled_from(SCANNERS), st.integers(0, 9), st.sampled_from(["train", "test"])),
        min_size=1,
    ).filter(lambda rows: any(part == "train" for _, _, part in rows))
)
def test_months_divide_the_training_slices(drawn: list[tuple[str, int, str]]) -> None:
    split = pd.DataFrame(drawn, columns=["scanner", "month", "part"])
    parts = with_months(split)
    assert parts[parts["part"].isin(["train", "test"])].equals(split)
    added = parts.iloc[len(split) :]
    train = split[split["part"] == "train"]
    assert Counter(added.index) == Counter(train.index)
    names = [month_part(k + 1) for k in range(train["month"].nunique())]
    assert set(added["part"]) == set(names)
    months = [added[added["part"] == name]["month"].unique() for name in names]
    assert [list(found) for found in months] == [[m] for m in sorted(set(train["month"]))]


def test_a_plan_by_months(months_store: Path, tmp_path: Path) -> None:
    plan = planned(tiny_suite(months_store) + BY_MONTHS, tmp_path)
    naive, joint = plan.runs[0], plan.runs[-1]
    months = naive.run.months
    assert len(naive.training_keys) == len(months) and len(joint.training_keys) == 1
    assert [len(row) for row in naive.evaluation_keys] == [3] * (1 + len(months))
    rows = plan.context.rows
    for scanner, parts in rows.items():
        of_months = [parse_ranges(r) for part, r in parts.items() if part.startswith("month")]
        together = sorted(row for found in of_months for row in found)
        assert together == sorted(parse_ranges(parts["train"]))
        there = {k for k, own in enumerate(months, start=1) if scanner in own}
        assert {month_part(k) for k in there} == {p for p in parts if p.startswith("month")}
    by_scanner = planned(tiny_suite(months_store), tmp_path)
    test = [plan.context.digests[scanner, "test"] for scanner in plan.context.scanners]
    assert test == [by_scanner.context.digests[s, "test"] for s in plan.context.scanners]
    assert naive.evaluation_keys[0] == by_scanner.runs[0].evaluation_keys[0], "shared"
    content = plan_content(plan)["runs"][0]
    assert content["selections"] == [month_part(k + 1) for k in range(len(months))]
    assert content["experiences"] == [list(own) for own in months]
    stages = [stage.title for stage in plan.stages.values() if stage.kind == "train"]
    assert any("month 1 → month 2" in title for title in stages)


def test_a_suite_without_the_field_is_planned_as_ever(months_store: Path, tmp_path: Path) -> None:
    plain = write_store(tmp_path / "plain.store")
    without = planned(tiny_suite(plain), tmp_path)
    said = planned(tiny_suite(plain) + "experience: scanner\n", tmp_path)
    assert plan_content(said) == plan_content(without)
    assert list(said.stages) == list(without.stages)
    of_months = planned(tiny_suite(months_store), tmp_path)
    assert list(of_months.stages) == list(without.stages), "a column more changes no stage"
    assert [run.key for run in of_months.runs] == [run.key for run in without.runs]


def test_notes_on_boundaries_small_months_and_those_left_out(
    months_store: Path, tmp_path: Path
) -> None:
    big = tiny_suite(months_store).replace("batch_size: 4", "batch_size: 9") + BY_MONTHS
    notes = " ".join(planned(big, tmp_path).notes)
    assert "for replay, ewc an experience ends with its month" in notes
    assert "choice of the calendar, not of the data" in notes
    assert (
        "fewer training slices than a batch of 9, which then" in notes and "slices for" not in notes
    )
    held_out = tiny_suite(months_store) + BY_MONTHS + "held_out: [plain]\n"
    plan = planned(held_out, tmp_path)
    assert "months without a training slice are left out: " in " ".join(plan.notes)
    assert all("plain" not in own for own in plan.runs[0].run.months)


def test_naive_alone_has_no_boundary(months_store: Path, tmp_path: Path) -> None:
    lines = tiny_suite(months_store).splitlines()
    kept = [line for line in lines if "replay" not in line and "ewc" not in line]
    plan = planned("\n".join([*kept, BY_MONTHS]), tmp_path)
    assert [run.run.strategy.name for run in plan.runs] == ["naive", "joint"]
    assert not any("boundary" in note for note in plan.notes)


@pytest.mark.parametrize("name", ["single", "norm_per_scanner", "adapters", "stale_statistics"])
def test_strategies_that_need_the_scanner_are_refused(
    months_store: Path, tmp_path: Path, name: str
) -> None:
    text = tiny_suite(months_store).replace("  - naive", f"  - naive\n  - {name}") + BY_MONTHS
    with pytest.raises(InputError, match=f"strategies: {name} .*a month may have several"):
        planned(text, tmp_path)


def test_strategies_with_state_of_scanners() -> None:
    found = {name for name, one in STRATEGIES.items() if one.keeps_state_of_scanners}
    assert found == {"norm_per_scanner", "adapters", "stale_statistics"}


def test_what_is_refused(store: Path, tmp_path: Path) -> None:
    same = dict.fromkeys(MONTHS, [0] * 6)
    one_month = write_store(tmp_path / "one.store", months=same)
    phantom = tiny_suite(store).replace(
        f"{{store: {store}}}", "{phantom: {scanners: [ge_like], own_bodies: 3, shared_bodies: 2}}"
    )
    listed = BY_MONTHS + "orders: [[bright, dark]]\n"
    for text, told in (
        (tiny_suite(store) + BY_MONTHS, "does not say in which month .* --months"),
        (tiny_suite(one_month) + BY_MONTHS, "all training slices are of one month"),
        (phantom + BY_MONTHS, "simulated scans have no months"),
        (tiny_suite(store) + listed, "orders: `experience: months` puts the stream in the order"),
        (tiny_suite(store) + "experience: weeks\n", "experience"),
    ):
        with pytest.raises(InputError, match=told) as error:
            planned(text, tmp_path)
        assert "suite.yaml" in str(error.value)
