"""Scanners that are held out: in no order, in no training, and refused where they cannot be."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.messages.errors import InputError
from cl_seg.planning.grid import plan_runs
from cl_seg.planning.plan import resolve
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.suite import StreamSuite

SCANNERS = ["a", "b", "c", "d"]


@given(
    st.lists(st.sampled_from(SCANNERS), max_size=3, unique=True),
    st.sampled_from(["as_listed", "both_ways", "all", "pairs"]),
    st.sampled_from(["naive", "joint", "cumulative", "single"]),
)
def test_no_order_and_no_experience_has_one(held_out: list[str], orders: str, name: str) -> None:
    suite = StreamSuite.model_construct(
        models=[ModelChoice.model_construct(name="unet", label="unet")],
        strategies=[StrategyChoice.model_construct(name=name, label=name, settings={})],
        orders=orders,
        held_out=held_out,
        seeds=[0],
    )
    runs = plan_runs(suite, SCANNERS)
    learned = set(SCANNERS) - set(held_out)
    if orders != "pairs":
        assert all(set(run.order) == learned for run in runs)
    assert all(set(group) <= learned for run in runs for group in run.experiences)
    assert all(run.learned_at(scanner) == 0 for run in runs for scanner in held_out)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("held_out: [plainn]", "held_out: unknown scanner plainn: did you mean plain?"),
        ("orders: [[bright, plain]]\nheld_out: [plain]", "held_out: plain is in `orders`"),
        ("held_out: [bright, dark, plain]", "held_out: these are all scanners there are"),
        ("held_out: [dark, dark]", "held_out"),
    ],
)
def test_what_is_refused(suite_text: str, tmp_path: Path, lines: str, told: str) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(f"{suite_text}\n{lines}\n")
    with pytest.raises(InputError) as error:
        resolve(path, cache=tmp_path / "stages")
    assert told in str(error.value)
