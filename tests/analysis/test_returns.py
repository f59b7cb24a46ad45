"""Runs whose stream returns to a scanner, in scores and tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.figures.curves import forgetting_curves, order_fans
from cl_seg.analysis.figures.plane import weight_in_accuracy
from cl_seg.analysis.intervals import jackknife_pseudo_values
from cl_seg.analysis.returns import return_scores
from cl_seg.analysis.stability import stability_gap_of
from cl_seg.analysis.tables import run_table, summary_table
from cl_seg.api.run_lookup import mean_matrix
from cl_seg.metrics.continual import acc, bwt, plasticity
from cl_seg.records.matrices import accuracy_matrices
from cl_seg.records.results import RunResult
from tests.records.factory import held_out, run_result

R = [[0.1, 0.2], [0.9, 0.5], [0.6, 0.8], [0.85, 0.7]]
SPEC = {"order": ["a", "b", "a"]}
POINTS = {1: {"a": [0.5, 0.9]}, 2: {"a": [0.7, 0.6], "b": [0.4, 0.8]}}
RELEARNED = {**POINTS, 3: {"a": [0.8, 0.9, 0.7], "b": [0.3, 0.5, 0.7]}}
NEVER = {**POINTS, 3: {"a": [0.8, 0.85, 0.7], "b": [0.3, 0.5, 0.7]}}


def curve(points: Mapping[int, Mapping[str, Sequence[float]]]) -> pd.DataFrame:
    return pd.DataFrame([
        {"stage": stage, "step": 10 * k, "scanner": scanner, "class": "liver", "dice": dice}
        for stage, of_scanners in points.items()
        for scanner, values in of_scanners.items()
        for k, dice in enumerate(values, start=1)
    ])  # fmt: skip


def returning(points: Mapping[int, Mapping[str, Sequence[float]]], **changes: object) -> RunResult:
    spec = {**SPEC, "seed": changes.pop("seed", 0)}
    return run_result(R, spec=spec, curve=curve(points), **changes)


def test_what_is_lost_what_comes_back_and_how_fast() -> None:
    assert return_scores(returning(RELEARNED)) == pytest.approx(
        {"lost_before_return": 0.3, "regained": 0.25, "relearning_steps": 20}
    )
    assert np.isnan(return_scores(returning(NEVER))["relearning_steps"])
    kept = return_scores(returning(RELEARNED, scores_with_memory=True))
    assert np.isnan(kept["relearning_steps"]) and kept["regained"] == pytest.approx(0.25)
    assert return_scores(returning(RELEARNED, schedule="single")) == {}
    assert return_scores(run_result()) == {}


def test_a_scanner_that_is_trained_on_again_has_no_stability_gap() -> None:
    # Experience 2: a falls from 0.9 to 0.6; experience 3: b from 0.8 to 0.3, a is trained on.
    assert stability_gap_of(returning(RELEARNED)) == pytest.approx((0.3 + 0.5) / 2)


def test_a_summary_of_runs_that_return_and_others() -> None:
    runs = [returning(RELEARNED), run_result(spec={"seed": 1}, run_id="other")]
    table = run_table(runs)
    assert table["regained"].isna().tolist() == [False, True]
    assert summary_table(table, runs).loc[0, "relearning_steps"] == 20
    runs.append(returning(NEVER, run_id="never", seed=1))
    summary = summary_table(run_table(runs), runs)
    assert np.isnan(summary.loc[0, "relearning_steps"])
    assert summary.loc[0, "regained"] == pytest.approx(0.25)
    assert "regained" not in run_table([run_result()])


def test_rows_are_named_by_experience_and_columns_by_scanner() -> None:
    matrix = mean_matrix([returning(RELEARNED)])
    names = [f"Scanner {name}" for name in "ABA"]
    assert list(matrix.index) == ["untrained", *(f"after {name}" for name in names)]
    assert list(matrix.columns) == names[:2]


def test_the_first_visit_is_the_one_that_is_to_be_learned() -> None:
    low = [[0.1, 0.2], [0.7, 0.5], [0.6, 0.8], [0.85, 0.7]]
    assert [s for s, _, _ in run_result(low, spec=SPEC).unlearned()] == ["a"]
    assert returning(RELEARNED).unlearned() == []


def test_pseudo_values_have_the_score_as_their_mean() -> None:
    draw = np.random.default_rng(0)
    cases = pd.DataFrame([
        {"stage": i, "scanner": s, "patient": f"p{p}", "class": "liver", "true": 1,
         "dice": draw.random()}
        for i in range(4) for s in "ab" for p in range(5)
    ])  # fmt: skip
    run = run_result(accuracy_matrices(cases, ["a", "b"], ["liver"])["mean"], cases, spec=SPEC)
    for score in (acc, bwt, plasticity):
        values = jackknife_pseudo_values([run], score)
        assert values.mean() == pytest.approx(run.score(score))
    assert set(zip(run.main_cases["stage"], run.main_cases["scanner"], strict=True)) == {
        (1, "a"), (2, "b"), (3, "a"), (3, "b")
    }  # fmt: skip


def test_bwt_weighs_as_many_scanners_as_it_is_a_mean_over() -> None:
    run = returning(RELEARNED)
    weight = weight_in_accuracy([run])
    assert weight == 1
    assert run.score(acc) == pytest.approx(run.score(plasticity) + weight * run.score(bwt))
    assert weight_in_accuracy([run_result()]) == 0.5
    assert weight_in_accuracy([run, run_result()]) is None


def test_figures_have_a_mark_for_every_visit() -> None:
    run = returning(RELEARNED)
    figure = forgetting_curves([run])
    assert figure is not None
    marks = [axes.lines[0].get_markevery() for axes in figure.axes]
    assert marks == [[0, 2], [1]]
    fans = order_fans([run, run_result(run_id="other")])
    assert fans is not None and fans.get_supxlabel() == "experiences"


def test_further_scores_are_about_first_visits_and_the_last_row() -> None:
    unseen = held_out(((0.0, 0.1), (0.5, 0.6), (0.4, 0.2), (0.3, 0.5)), "yz")
    unseen["spec"] |= SPEC
    alone = run_result(
        [[0.1, 0.2], [0.8, 0.3], [0.1, 0.4], [0.7, 0.3]], spec=SPEC, schedule="single"
    )
    row = run_table([run_result(R, **unseen), alone]).iloc[0]
    assert row["E-FWT"] == pytest.approx(0.5 - 0.2)  # not after the second experience
    assert row["RMA"] == pytest.approx(0.8 / 0.4)
    assert row["worst_scanner"] == 0.7 and row["worst_with_unseen"] == 0.3
    assert (row["unseen_before"], row["unseen_after"]) == pytest.approx((0.55, 0.4))


def test_no_experience_trains_on_the_scanners_held_out() -> None:
    unseen = held_out(((0.0,), (0.5,), (0.4,), (0.3,)))
    unseen["spec"] |= SPEC
    run = run_result(R, **unseen)
    view = run.on_held_out
    assert run.scanners == ["a", "b"] and set(run.main_cases["scanner"]) == {"a", "b"}
    assert view.scanners == ["z"] and view.returns == [] and return_scores(view) == {}
    assert view.order_and_seed == run.order_and_seed
    assert view.score(acc) == 0.3 and set(view.main_cases["stage"]) == {3}
    np.testing.assert_array_equal(next(view.matrices_without_each_patient())[-1], [np.nan])
    with pytest.raises(ValueError, match="first visits"):
        view.score(bwt)
    assert list(mean_matrix([run], held_out=True).index) == list(mean_matrix([run]).index)
