"""Which scanners are tested when, and how many evaluations that makes."""

import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cl_seg.planning.evaluations import scanners_to_test
from cl_seg.planning.plan import resolve
from cl_seg.planning.runs import Run
from cl_seg.spec.choices import ModelChoice, StrategyChoice

counts = st.integers(1, 25)


def run_of(scanners: int, strategy: str = "naive") -> Run:
    order = tuple(f"s{k}" for k in range(1, scanners + 1))
    model = ModelChoice.model_construct(name="unet", label="unet")
    choice = StrategyChoice.model_construct(name=strategy, label=strategy, settings={})
    return Run("run", order, model, choice, 0)


def cells(evaluate: str, run: Run) -> set[tuple[int, int]]:
    """(i, j) of R, scanners from 1, that are tested."""
    return {
        (i, run.order.index(scanner) + 1)
        for i in range(len(run.experiences) + 1)
        for scanner in scanners_to_test(evaluate, run, i)
    }


@given(counts)
def test_all_and_seen_are_a_square_and_a_triangle(n: int) -> None:
    run = run_of(n)
    assert len(cells("all", run)) == n * (n + 1)
    assert cells("seen", run) == {(i, j) for i in range(n + 1) for j in range(1, i + 1)}


@given(counts, st.integers(1, 30))
def test_every_k_is_whole_rows_and_what_bwt_and_fwt_need(n: int, k: int) -> None:
    found = cells(f"every {k}", run_of(n))
    whole = math.ceil(n / k)
    assert len(found) == n * (whole + 1) + 2 * (n - whole)
    needed = {(j, j) for j in range(1, n + 1)} | {(j - 1, j) for j in range(1, n + 1)}
    needed |= {(i, j) for i in (0, n) for j in range(1, n + 1)}
    assert found >= needed
    assert cells("every 1", run_of(n)) == cells("all", run_of(n))


@given(counts)
def test_joint_training_has_seen_all_and_cumulative_is_a_stream(n: int) -> None:
    assert cells("seen", run_of(n, "joint")) == {(1, j) for j in range(1, n + 1)}
    assert cells("seen", run_of(n, "cumulative")) == cells("seen", run_of(n))


def test_fewer_evaluations_change_no_key_of_the_others(suite_text: str, tmp_path: Path) -> None:
    plans = {}
    for evaluate in ("all", "seen", "every 2"):
        (tmp_path / "suite.yaml").write_text(f"{suite_text}\nevaluate: {evaluate}\n")
        plans[evaluate] = resolve(tmp_path / "suite.yaml", cache=tmp_path / "stages")
    (tmp_path / "suite.yaml").write_text(suite_text)
    default = resolve(tmp_path / "suite.yaml", cache=tmp_path / "stages")
    assert list(default.stages) == list(plans["all"].stages)
    assert [run.key for run in default.runs] == [run.key for run in plans["all"].runs]
    for evaluate in ("seen", "every 2"):
        assert plans[evaluate].stages.keys() < plans["all"].stages.keys()
        left_out = plans["all"].stages.keys() - plans[evaluate].stages.keys()
        assert {plans["all"].stages[key].kind for key in left_out} == {"evaluate"}
        for run, whole in zip(plans[evaluate].runs, plans["all"].runs, strict=True):
            for row, all_keys in zip(run.evaluation_keys, whole.evaluation_keys, strict=True):
                assert all(key in {"", other} for key, other in zip(row, all_keys, strict=True))
            assert "" not in run.stage_keys
