"""The stability–plasticity plane shows what can be compared."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cl_seg.analysis.figures.plane import stability_plane
from cl_seg.analysis.figures.style import as_svg, strategy_marks
from cl_seg.analysis.tables import NOT_EVALUABLE


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


def plane(*rows: dict[str, object]) -> str:
    return as_svg(stability_plane(pd.DataFrame(rows), 3, ["simulated"]))


def test_only_evaluable_strategies_with_both_scores_are_drawn() -> None:
    shown = [row("Naive"), row("Replay", bwt=0.0, kept=24)]
    hidden = [row("Lazy", verdict=NOT_EVALUABLE), row("Joint", bwt=np.nan)]
    assert plane(*shown, *hidden) == plane(*shown) != plane(*shown[:1])


def test_keeping_slices_shows_in_the_mark() -> None:
    with_and_without = [plane(row("Replay", kept=kept)) for kept in (0, 24)]
    assert with_and_without[0].count("#ffffff") > with_and_without[1].count("#ffffff")


def test_nothing_to_compare_is_an_empty_figure() -> None:
    assert "<svg" in plane(row("Lazy", verdict=NOT_EVALUABLE))


@pytest.mark.parametrize("apart", [0.0004, 0.0011, 0.0016, 0.0035, 0.01])
def test_ticks_of_points_near_each_other_do_not_overprint(apart: float) -> None:
    rows = pd.DataFrame([row("Naive"), {**row("Replay"), "plasticity": 0.9 + apart}])
    figure = stability_plane(rows, 3, [])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    ticks = [t for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high]
    boxes = [tick.get_window_extent() for tick in ticks]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_twenty_strategies_have_marks_of_their_own() -> None:
    marks = strategy_marks([f"s{i}" for i in range(20)])
    assert len({(m.marker, str(m.line)) for m in marks.values()}) == 20, "without colour too"
