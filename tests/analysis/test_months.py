"""Runs whose experiences are months: no score of a moment that there is not."""

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.figures.curves import forgetting_curves, order_fans, validation_curves
from cl_seg.analysis.figures.heat_maps import heat_maps
from cl_seg.analysis.intervals import jackknife_pseudo_values
from cl_seg.analysis.many_scanners import scanner_table
from cl_seg.analysis.pairs import is_pairs
from cl_seg.analysis.tables import (
    difference_table,
    run_table,
    shown_differences,
    shown_table,
    summary_table,
)
from cl_seg.api.run_lookup import mean_matrix
from cl_seg.metrics.continual import acc, bwt, plasticity
from cl_seg.records.results import RunResult
from tests.records.factory import held_out, run_result

R = [[0.1, 0.2], [0.7, 0.5], [0.8, 0.7], [0.6, 0.4]]
MONTHS = [["a"], ["a", "b"], ["b"]]


def by_months(r: object = R, **changes: object) -> RunResult:
    spec = {"months": MONTHS, "seed": changes.pop("seed", 0), **changes.pop("spec", {})}
    return run_result(r, spec=spec, schedule="months", **changes)


def test_only_states_have_scores() -> None:
    run = by_months()
    row = run_table([run]).iloc[0]
    assert row["ACC"] == pytest.approx(0.5) and row["worst_scanner"] == 0.4
    undefined = ["BWT", "FWT", "forgetting", "plasticity", "E-FWT", "RMA", "intransigence"]
    assert row[[*undefined, "stability_gap"]].isna().all()
    assert row["learned"], "0.4 of liver at the end may be forgotten and not unlearned"
    assert row["order"] == "a > a + b > b"
    for score in (bwt, plasticity):
        with pytest.raises(ValueError, match="first visits"):
            run.score(score)
    patients = pd.concat([run.cases.assign(patient=name) for name in ("p", "q")])
    values = jackknife_pseudo_values([by_months(cases=patients)], acc)
    assert values == pytest.approx(np.full((2, 1), 0.5)), "an interval of ACC for other patients"
    table = scanner_table([run])
    assert table["learned"].isna().all() and list(table["last"]) == [0.6, 0.4]


def test_the_matrix_and_figures_name_months() -> None:
    run = by_months()
    names = ["untrained", "after month 1", "after month 2", "after month 3"]
    assert list(mean_matrix([run], 1).index) == names
    figure = forgetting_curves([run])
    assert figure is not None
    left, right = figure.axes
    assert [text.get_text() for text in left.get_xticklabels()] == ["month 1", "month 2", "month 3"]
    marks = [line.get_markevery() for axes in (left, right) for line in axes.lines[:1]]
    assert marks == [[0, 1], [1, 2]], "months with slices of the scanner"
    assert left.get_ylim()[0] <= 0.4, "the axis holds every month"
    assert [text.get_text() for text in heat_maps([run]).axes[0].get_yticklabels()][1] == "month 1"
    assert order_fans([run]) is None and validation_curves([run]) is None
    assert not is_pairs([run])


def test_gains_are_of_accuracy_alone() -> None:
    better = [[0.1, 0.2], [0.7, 0.5], [0.8, 0.7], [0.7, 0.6]]
    runs = [by_months(), by_months(better, strategy="Replay")]
    shown = shown_differences(difference_table(runs))
    assert shown.to_dict("records") == [{"model": "VNet", "strategy": "Replay", "ACC": "+0.150"}]
    shown = shown_table(summary_table(run_table(runs), runs))
    assert "BWT" not in shown and "ACC" in shown and "verdict" not in shown


def test_runs_by_months_are_not_paired_with_runs_by_scanner() -> None:
    scanners = run_result([R[0], R[1], R[3]])
    assert scanners.order == by_months().order
    assert scanners.order_and_seed != by_months().order_and_seed
    joint = run_result([R[0], R[3]], spec={"months": MONTHS}, schedule="joint")
    assert joint.order_and_seed == by_months().order_and_seed


def test_scanners_held_out_beside_months() -> None:
    changes = held_out(((0.0,), (0.5,), (0.4,), (0.3,)))
    run = by_months(spec=changes.pop("spec"), **changes)
    row = run_table([run]).iloc[0]
    assert (row["unseen_before"], row["unseen_after"]) == (0.5, 0.3)
    assert run.on_held_out.order_and_seed == run.order_and_seed


def test_a_record_has_a_row_for_every_month() -> None:
    with pytest.raises(ValueError, match="R does not have 4 rows"):
        by_months(R[:3])
