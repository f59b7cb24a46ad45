"""Drops of pairs from records with known R."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.figures.drop_maps import pair_drop_maps
from cl_seg.analysis.figures.style import as_svg
from cl_seg.analysis.pairs import (
    is_pairs,
    pair_drops,
    pair_matrix,
    pair_summary,
)
from cl_seg.analysis.report.write import write_report
from cl_seg.records.results import RunResult
from tests.records.factory import changed, run_result, write_record

NAMES = {s: f"Scanner {s.upper()}, any (simulated)" for s in "abc"}


def result(order: str, r: list[list[float]], seed: int = 0, joint: bool = False) -> RunResult:
    return run_result(
        r,
        run_id=f"{order}-{seed}",
        strategy="Joint" if joint else "Naive",
        spec={"order": list(order), "seed": seed, "learned_dice": {}},
        scanner_names={s: NAMES[s] for s in order},
    )


RESULTS = [
    result("ab", [[0, 0], [0.90, 0.80], [0.70, 0.85]]),
    result("ab", [[0, 0], [0.90, 0.84], [0.80, 0.85]], seed=1),
    result("ba", [[0, 0], [0.88, 0.87], [0.86, 0.91]]),
    result("ab", [[0, 0], [0.89, 0.86]], joint=True),
]
THIRD = result("ca", [[0, 0], [0.90, 0.80], [0.85, 0.85]])


def test_what_another_network_learns_is_not_forgotten() -> None:
    alone = result("ab", [[0, 0], [0.9, 0.8], [0.3, 0.85]])
    drops = pair_drops([changed(alone, schedule="single")])
    assert drops["forgetting"].isna().all() and drops["transfer"].tolist() == pytest.approx([10])


def test_drops_are_points_of_dice() -> None:
    drops = pair_drops(RESULTS)
    assert drops["transfer"].tolist() == pytest.approx([10, 6, 1])
    assert drops["forgetting"].tolist() == pytest.approx([20, 10, 2])
    assert drops["learned"].tolist() == pytest.approx([90, 90, 88])


def test_matrices_average_over_seeds_and_leave_the_diagonal_open() -> None:
    matrix = pair_matrix(pair_drops(RESULTS), ["a", "b"], ["a", "b"], "transfer")
    np.testing.assert_allclose(matrix, [[np.nan, 8], [1, np.nan]])


def test_a_matrix_has_the_scanners_that_come_first_and_those_that_come_second() -> None:
    matrix = pair_matrix(pair_drops(RESULTS[:2]), ["a"], ["b"], "transfer")
    np.testing.assert_allclose(matrix, [[8]])


def test_joint_training_is_compared_with_the_first_scanner_as_transfer_is() -> None:
    drops = pair_drops(RESULTS)
    np.testing.assert_allclose(drops["joint"], [90 - 86, np.nan, 88 - 89])


def test_medians_are_over_pairs_not_over_runs() -> None:
    row = pair_summary(pair_drops(RESULTS)).iloc[0]
    assert (row["pairs"], row["seeds"]) == (2, 2)
    assert row["transfer"] == pytest.approx((8 + 1) / 2)
    assert row["forgetting"] == pytest.approx((15 + 2) / 2)
    assert row["joint"] == pytest.approx((4 - 1) / 2)


def test_without_joint_training_its_loss_is_unknown() -> None:
    assert np.isnan(pair_summary(pair_drops(RESULTS[:3]))["joint"][0])


def test_one_order_or_longer_streams_are_no_pairs() -> None:
    pairs = [*RESULTS, THIRD]
    assert is_pairs(pairs)
    assert not is_pairs(RESULTS[:2])
    assert not is_pairs(RESULTS), "one pair both ways is a stream"
    assert not is_pairs([*pairs, result("abc", [[0] * 3] * 4)])


def write(results: list[RunResult], tmp_path: Path) -> None:
    orders = list(map(list, dict.fromkeys(tuple(run.order) for run in results)))
    for index, run in enumerate(results):
        number = orders.index(run.order)
        place = (0, int(run.is_joint), number, index)
        one = changed(run, key=str(index), order_number=number + 1, place=place)
        write_record(tmp_path / "runs" / str(index), one)


def test_the_report_of_pairs_shows_their_drops(tmp_path: Path) -> None:
    write([*RESULTS, THIRD], tmp_path)
    page = write_report(tmp_path).read_text()
    notes = (tmp_path / "summary.md").read_text()
    assert "median Dice points lost on the unseen scanner 8.0" in notes
    assert "on the first by learning the second 5.0" in notes
    assert "with joint training 1.0" in notes
    assert "Simulated" in page and (tmp_path / "figures" / "pairs.svg").is_file()
    assert len(pd.read_csv(tmp_path / "pairs.csv")) == 4


def test_the_report_of_two_scanners_both_ways_is_that_of_a_stream(tmp_path: Path) -> None:
    write(RESULTS, tmp_path)
    page = write_report(tmp_path).read_text()
    drawn = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert drawn >= {"forgetting", "accuracy_matrix", "orders", "plane"} and "pairs" not in drawn
    assert "Orders of scanners: 1 is Scanner A → Scanner B; 2 is Scanner B → Scanner A." in page
    assert "Of 2 orders, order 1 is shown: Scanner A → Scanner B." in page


def test_a_loss_that_nobody_measured_of_a_network_is_an_empty_panel() -> None:
    with warnings.catch_warnings(action="error"):
        figure = pair_drop_maps([*RESULTS, changed(RESULTS[0], model="UNet")])
        assert "<svg" in as_svg(figure)
    assert "UNet Naive · joint, not measured" in [axes.get_title("left") for axes in figure.axes]


def test_long_names_are_wrapped_below_the_panels() -> None:
    long = "GE Discovery CT750 HD, STANDARD, 120 kV"
    renamed = changed(RESULTS[0], scanner_names={"a": long, "b": long})
    axes = pair_drop_maps([renamed]).axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [text.get_text().count("\n") for text in labels] == [1]


def test_an_unseen_scanner_that_was_not_tested_is_said_to_be_so(tmp_path: Path) -> None:
    nan = float("nan")
    both = [
        ("ab", [[nan, nan], [0.9, nan], [0.7, 0.8]]),
        ("ca", [[nan, nan], [0.9, nan], [0.8, 0.9]]),
    ]
    write([result(order, r) for order, r in both], tmp_path)
    write_report(tmp_path)
    notes = (tmp_path / "summary.md").read_text()
    assert (
        "2 pairs of scanners, 1 seeds: not tested on the unseen scanner; on the first by" in notes
    )
    assert "nan" not in notes
