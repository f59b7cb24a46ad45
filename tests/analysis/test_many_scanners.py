"""What is shown of many scanners, and of streams in which not all were tested every time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.analysis.figures.curves import forgetting_curves, order_fans
from cl_seg.analysis.figures.heat_maps import heat_maps
from cl_seg.analysis.figures.labels import thinned
from cl_seg.analysis.many_scanners import (
    MOST_SCANNERS,
    SHOWN_OF_MANY,
    listed,
    scanner_table,
    shown_scanners,
)
from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import run_table
from cl_seg.records.results import RunResult
from tests.records.factory import run_result, write_run

MANY = 15
ORDER = [f"s{k:02}" for k in range(MANY)]


def forgetful(scanners: int) -> np.ndarray:
    """R of a stream in which every second scanner loses twice as much."""
    i, j = np.indices((scanners + 1, scanners))
    lost = 0.01 * (1 + j % 2) * (i - j - 1)
    return np.where(i == 0, 0.1, np.where(i <= j, 0.5, 0.95 - lost))


def only_tested(r: np.ndarray, evaluate: str) -> np.ndarray:
    i, j = np.indices(r.shape)
    if evaluate == "seen":
        return np.where(j < i, r, np.nan)
    whole = (i % int(evaluate.split()[1]) == 0) | (i == len(r) - 1)
    return np.where(whole | (j == i) | (j + 1 == i), r, np.nan)


def result(evaluate: str = "all") -> RunResult:
    r = forgetful(MANY)
    r = r if evaluate == "all" else only_tested(r, evaluate)
    return run_result(r, spec={"order": ORDER, "evaluate": evaluate})


def test_of_many_scanners_those_are_shown_on_which_most_is_lost() -> None:
    table = scanner_table([result()]).set_index("scanner")
    worst = table["change"].nsmallest(SHOWN_OF_MANY).index
    assert shown_scanners([result()]) == sorted(worst)
    few = run_result(forgetful(MOST_SCANNERS), spec={"order": ORDER[:MOST_SCANNERS]})
    assert shown_scanners([few]) == ORDER[:MOST_SCANNERS]


def test_names_in_a_line_and_on_an_axis_are_bounded() -> None:
    assert listed(ORDER[:3]) == "s00, s01, s02"
    assert listed(ORDER, " → ") == "s00 → s01 → s02 → … → s14 (15)"
    assert len(ORDER[thinned(len(ORDER))]) <= MOST_SCANNERS
    assert ORDER[:MOST_SCANNERS][thinned(MOST_SCANNERS)] == ORDER[:MOST_SCANNERS]


def test_maps_of_many_scanners_have_colours_and_no_numbers() -> None:
    axes, bar = heat_maps([result()]).axes
    assert not axes.texts and bar.get_ylabel() == "Dice"
    assert axes.images[0].get_array().shape == (MANY + 1, MANY)


@pytest.mark.parametrize(("evaluate", "lacking"), [("seen", "FWT"), ("every 5", "forgetting")])
def test_curves_join_what_was_tested_and_scores_that_lack_cells_are_nan(
    evaluate: str, lacking: str
) -> None:
    run = result(evaluate)
    figure = forgetting_curves([run])
    assert figure is not None and len(figure.axes) == SHOWN_OF_MANY
    for axes, scanner in zip(figure.axes, shown_scanners([run]), strict=True):
        j = ORDER.index(scanner)
        (line,) = axes.lines
        x, y = line.get_data()
        stages = np.flatnonzero(np.isfinite(run.matrix()[1:, j])) + 1
        np.testing.assert_array_equal(x, stages)
        np.testing.assert_allclose(y, run.matrix()[stages, j])
        assert [x[at] for at in line.get_markevery()] == [j + 1]
    other = run_result(run.matrix(), spec={"order": ORDER[::-1], "evaluate": evaluate})
    fans = order_fans([run, other])
    assert fans is not None and np.isfinite(fans.axes[0].lines[0].get_ydata()).all()
    row = run_table([run]).iloc[0]
    whole = run_table([result()]).iloc[0]
    assert np.isnan(row[lacking])
    for name in ("ACC", "BWT", "plasticity", "relative forgetting"):
        assert row[name] == pytest.approx(whole[name])


@pytest.mark.parametrize("evaluate", ["seen", "every 5"])
def test_the_page_of_many_scanners_is_bounded_and_says_what_is_left_out(
    tmp_path: Path, evaluate: str
) -> None:
    r = only_tested(forgetful(MANY), evaluate)
    for strategy in ("Naive", "Replay"):
        write_run(tmp_path, strategy, r, spec={"order": ORDER, "evaluate": evaluate})
    page = write_report(tmp_path).read_text()
    assert f"Of {MANY} scanners the {SHOWN_OF_MANY} on which most was lost are shown" in page
    assert f"1 on each of {MANY} scanners" in page
    assert len(pd.read_csv(tmp_path / "scanners.csv")) == 2 * MANY
    assert f"What was not tested is blank (evaluate: {evaluate})" in page
    table = pd.read_csv(tmp_path / "runs.csv")
    assert table["FWT"].isna().all() == (evaluate == "seen")
    assert table["forgetting"].isna().all() == (evaluate == "every 5")


def test_patients_and_cases_of_a_run_are_those_of_the_whole_table() -> None:
    run = result()
    assert run.patients == ("p",)
    cases = run.cases
    positions = cases["scanner"].map({s: k for k, s in enumerate(ORDER, start=1)})
    expected = cases[(cases["stage"] == MANY) | (cases["stage"] == positions)]
    pd.testing.assert_frame_equal(run.main_cases, expected)
    pd.testing.assert_frame_equal(run.last_cases, cases[cases["stage"] == MANY])
