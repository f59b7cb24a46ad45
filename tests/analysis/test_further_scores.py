"""Further scores of runs written by hand, and of files that lack what they need."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.further_scores import shown_cases, shown_other_scanners
from cl_seg.analysis.intervals import ci_half_width, jackknife_pseudo_values
from cl_seg.analysis.order_spread import order_spread_table, shown_order_spread
from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import run_table, summary_table
from cl_seg.metrics.continual import acc
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from tests.records.factory import NAIVE, cases_of, held_out, run_record, run_result, write_run

UNSEEN = ((0.0,), (0.5,), (0.4,))


def row_of(result: RunResult, *others: RunResult) -> "pd.Series[float]":
    return run_table([result, *others]).iloc[0]


def test_scores_of_the_hand_made_matrices() -> None:
    single = run_result([[0.1, 0.2], [0.8, 0.3], [0.1, 0.4]], strategy="Single", schedule="single")
    row = row_of(run_result(NAIVE, **held_out(UNSEEN)), single)
    assert row["E-FWT"] == pytest.approx(0.5 - 0.2)
    assert row["RMA"] == pytest.approx(0.8 / 0.4)
    assert (row["worst_scanner"], row["worst_with_unseen"]) == (0.6, 0.4)
    assert (row["unseen_before"], row["unseen_after"]) == (0.5, 0.4)
    of_single = run_table([single]).iloc[0]
    assert of_single[["E-FWT", "RMA", "worst_scanner"]].isna().all()


def test_what_is_held_out_changes_no_other_score() -> None:
    with_unseen, without = row_of(run_result(NAIVE, **held_out())), row_of(run_result(NAIVE))
    unseen = ["unseen_before", "unseen_after", "worst_with_unseen"]
    pd.testing.assert_series_equal(with_unseen.drop(unseen), without.drop(unseen))
    assert without[unseen].isna().all()


def test_joint_training_has_an_end_only() -> None:
    joint = run_result([[0.1, 0.2], [0.9, 0.7]], **held_out(((0.0,), (0.6,))))
    row = row_of(joint)
    assert row["unseen_after"] == 0.6 and row["worst_scanner"] == 0.7
    assert row[["E-FWT", "RMA", "unseen_before"]].isna().all()


def test_scores_of_cases_are_of_the_last_stage_and_of_cases_with_the_class() -> None:
    record = run_record(NAIVE)
    cases = cases_of(record).assign(surface_dice_3mm=0.9)
    last, absent = cases["stage"] == 2, cases.iloc[-1:].assign(true=0, dice=math.nan)
    cases.loc[last, "surface_dice_3mm"] = [0.4, 0.6]
    cases.loc[last, ["predicted", "true"]] = [[110, 100], [90, 120]]
    row = row_of(run_result(NAIVE, pd.concat([cases, absent.assign(surface_dice_3mm=0.0)])))
    assert row["surface_dice_3mm"] == pytest.approx(0.5)
    assert row["area_bias_percent liver"] == pytest.approx((10 - 25) / 2)
    assert row["dice_median"] == pytest.approx(0.7)
    assert row["dice_p5"] == pytest.approx(0.6 + 0.05 * 0.2)


def test_older_files_lack_the_surface_dice_and_how_much_is_replayed() -> None:
    row = row_of(run_result(NAIVE))
    assert math.isnan(row["surface_dice_3mm"]) and math.isnan(row["replayed_share"])
    assert math.isnan(row["kept_share"])  # nor the number of parameters
    summary = summary_table(run_table([run_result(NAIVE)]), [run_result(NAIVE)])
    assert "surface Dice, 3 mm" not in shown_cases(summary)
    assert shown_other_scanners(summary)["E-FWT"].tolist() == ["+0.300"]


def test_costs_relative_to_the_network_and_to_all_slices() -> None:
    stage = {"selection": "x", "steps": 5, "train_seconds": 1.0}
    stages = [
        {**stage, "kept_bytes": 2000, "new_slices": 8, "replayed_slices": 0},
        {**stage, "kept_bytes": 1000, "new_slices": 6, "replayed_slices": 2},
    ]
    row = row_of(run_result(NAIVE, stages=stages, parameters=1000))
    assert (row["kept_share"], row["replayed_share"]) == (0.5, 0.25)


def patients_of(seed: int, order: str = "ab") -> RunResult:
    """A run on four patients whose Dice on the scanner held out is that of R on average."""
    changes = held_out(learned=order)
    changes["spec"] |= {"seed": seed, "order": list(order)}
    record = run_record(NAIVE, **changes)
    tables = [
        cases_of(record).assign(patient=f"p{p}").assign(
            dice=lambda own, p=p: own["dice"] + 0.02 * (p - 1.5) + 0.01 * seed * (p % 2 - 0.5)
        )
        for p in range(4)
    ]  # fmt: skip
    return run_result(NAIVE, pd.concat(tables, ignore_index=True), **changes)


def test_the_interval_of_unseen_dice_is_that_of_its_patients_and_seeds() -> None:
    runs = [patients_of(seed) for seed in (0, 1, 2)]
    summary = summary_table(run_table(runs), runs)
    unseen = [run.on_held_out for run in runs]
    last = [run.last_cases.groupby("patient")["dice"].mean().to_numpy() for run in unseen]
    assert np.stack(last, axis=1).shape == (4, 3)
    values = jackknife_pseudo_values(unseen, acc)
    centred = np.stack(last, axis=1) - np.mean(last)
    np.testing.assert_allclose(values - values.mean(), centred, atol=1e-12)
    assert summary["unseen_after ±"].iloc[0] == pytest.approx(ci_half_width(values))


def test_runs_of_two_orders_stay_apart_on_the_scanners_held_out() -> None:
    runs = [patients_of(seed, order) for seed in (0, 1) for order in ("ab", "ba")]
    unseen = [run.on_held_out for run in runs]
    assert len({run.order_and_seed for run in unseen}) == 4
    assert jackknife_pseudo_values(unseen, acc).shape == (4, 2)


def test_spread_over_orders_by_hand() -> None:
    other = [[0.1, 0.2], [0.9, 0.5], [0.5, 0.7]]
    runs = [
        run_result(r, spec={"seed": seed, "order": list(order)})
        for r, order in ((NAIVE, "ab"), (other, "ba"))
        for seed in (0, 1)
    ]
    table = order_spread_table(run_table(runs)).set_index("score")
    assert table.loc["ACC", "sd"] == pytest.approx(np.std([0.7, 0.6], ddof=1))
    assert (table["orders"] == 2).all() and (table["seeds"] == 2).all()
    assert "unseen_after" not in table.index
    shown = shown_order_spread(table.reset_index())
    assert shown["ACC"].iloc[0].startswith("0.071 (0.032 to ")
    assert order_spread_table(run_table(runs[:2])).empty


def test_the_report_shows_them_below_headings_of_their_own(tmp_path: Path) -> None:
    write_run(tmp_path, "Naive", NAIVE, **held_out(UNSEEN))
    page = write_report(tmp_path).read_text()
    assert "Other scanners" in page and "unseen, after" in page
    assert "Held out, tested and never trained on: Scanner Z" in page
    kept = pd.read_csv(tmp_path / "summary.csv")
    assert kept["unseen_after"].tolist() == [0.4] and "E-FWT" in pd.read_csv(tmp_path / "runs.csv")
    (result,) = load_results(tmp_path)
    assert result.on_held_out.order == ["z"]
