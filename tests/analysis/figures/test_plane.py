"""The stability–plasticity plane shows what can be compared."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cl_seg.analysis.figures.plane import STEPS, stability_plane
from cl_seg.analysis.figures.style import as_svg, strategy_marks
from cl_seg.analysis.tables import NOT_EVALUABLE
from tests.analysis.test_pairs import result


def row(strategy: str, verdict: str = "", bwt: float = -0.1, kept: int = 0) -> dict[str, object]:
    return {
        "model": "UNet",
        "strategy": strategy,
        "BWT": bwt,
        "plasticity": 0.9,
        "BWT ±": np.nan,
        "plasticity ±": np.nan,
        "kept_slices": kept,
        "verdict": verdict,
    }


def drawn(summary: pd.DataFrame) -> Figure:
    figure = stability_plane(summary, [result("abc", [[0.0] * 3] * 4)])
    assert figure is not None
    return figure


def plane(*rows: dict[str, object]) -> str:
    return as_svg(drawn(pd.DataFrame(rows)))


def test_only_evaluable_strategies_with_both_scores_are_drawn() -> None:
    shown = [row("Naive"), row("Replay", bwt=0.0, kept=24)]
    hidden = [row("Lazy", verdict=NOT_EVALUABLE), row("Joint", bwt=np.nan)]
    assert plane(*shown, *hidden) == plane(*shown) != plane(*shown[:1])


def test_keeping_slices_shows_in_the_mark() -> None:
    with_and_without = [plane(row("Replay", kept=kept)) for kept in (0, 24)]
    assert with_and_without[0].count("#ffffff") > with_and_without[1].count("#ffffff")


def test_without_anything_to_compare_there_is_no_figure() -> None:
    summary = pd.DataFrame([row("Lazy", verdict=NOT_EVALUABLE)])
    assert stability_plane(summary, [result("ab", [[0.0] * 2] * 3)]) is None


@pytest.mark.parametrize("apart", [0.0004, 0.0011, 0.0016, 0.0035, 0.01])
def test_ticks_of_points_near_each_other_do_not_overprint(apart: float) -> None:
    rows = pd.DataFrame([row("Naive"), {**row("Replay"), "plasticity": 0.9 + apart}])
    figure = drawn(rows)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    ticks = [t for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high]
    boxes = [tick.get_window_extent() for tick in ticks]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


@pytest.mark.parametrize("margin", [0.01, 0.1, 0.5, 2.0, 5.0])
def test_lines_of_equal_accuracy_do_not_fill_the_plane(margin: float) -> None:
    wide = {**row("Naive"), "BWT ±": margin, "plasticity ±": margin}
    (axes,) = drawn(pd.DataFrame([wide])).axes
    grey = [np.array(line.get_xydata()) for line in axes.lines if line.get_color() == "#d1d5db"]
    values = [line @ (1, 2 / 3) for line in grey]
    assert 1 < len(values) <= 28 and np.ptp(values, axis=1).max() < 1e-9
    steps = np.diff([value[0] for value in values])
    assert np.allclose(steps, steps[0]) and np.isclose(steps[0], STEPS).any()


def test_every_column_of_panels_has_numbers_below() -> None:
    rows = pd.DataFrame([{**row("Naive"), "model": model} for model in "abcde"])
    figure = drawn(rows)
    FigureCanvasAgg(figure).draw()
    shown = [
        bool([t for t in axes.get_xticklabels() if t.get_visible() and t.get_text()])
        for axes in figure.axes
        if axes.axison
    ]
    assert shown == [False, False, True, True, True]


def test_twenty_strategies_have_marks_of_their_own() -> None:
    marks = strategy_marks([f"s{i}" for i in range(20)])
    assert len({(m.marker, str(m.line)) for m in marks.values()}) == 20, "without colour too"
