"""Curves of stability against plasticity: what every weight of a penalty keeps and learns."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cl_seg.analysis.figures.plane import PANEL, TICKS, columns_of, equal_accuracy, half_width
from cl_seg.analysis.figures.style import STYLE, Mark, legend_above, strategy_marks, with_caveats

SMALLEST, LARGEST = 2.5, 7.0  # marks of the smallest and the largest weight, points
LEAST_WIDTH = 6.5  # inches; the legend is wide


def penalty_curve_figure(
    curves: pd.DataFrame, weight: float | None, caveats: Sequence[str]
) -> Figure | None:
    """BWT against plasticity over the weight of each penalty, a panel per network.

    Marks grow with the weight.

    Args:
        curves: table of :func:`cl_seg.analysis.penalty_curves.penalty_curves`; None if it is empty.
        weight: of BWT in ACC, for lines of equal ACC; None where streams differ in it.
        caveats: sentences that the figure must show.
    """
    if curves.empty:
        return None
    models = list(dict.fromkeys(curves["model"]))
    marks = strategy_marks(list(dict.fromkeys(curves["strategy"])))
    columns = columns_of(len(models))
    rows, width = -(-len(models) // columns), max(PANEL * columns, LEAST_WIDTH)
    with mpl.rc_context(STYLE):
        figure = Figure((width, 3.4 * rows + 0.9), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, model in zip(grid, models, strict=False):
            for name, curve in curves[curves["model"] == model].groupby("strategy", sort=False):
                _draw(axes, curve, marks[str(name)])
            axes.set_title(model, loc="left")
            axes.margins(0.08)
            axes.xaxis.set_major_locator(MaxNLocator(TICKS))
            axes.grid(color="#eef0f3", lw=0.6)
            if weight is not None:
                equal_accuracy([axes], weight)
        for axes in grid[len(models) :]:
            axes.set_axis_off()
        figure.supxlabel("plasticity", fontsize=9)
        figure.supylabel("BWT", fontsize=9)
        legend_above(figure, grid, width)
        return with_caveats(figure, caveats)


def _draw(axes: Axes, curve: pd.DataFrame, mark: Mark) -> None:
    """A line with marks that grow along it; an empty mark where there is no weight."""
    is_curve = bool(curve["weight"].notna().all())
    line = mark.line if is_curve else ""
    axes.plot(curve["plasticity"], curve["BWT"], color=mark.colour, ls=line, lw=0.9, alpha=0.7)
    sizes = np.linspace(SMALLEST, LARGEST, len(curve)) if is_curve else [LARGEST] * len(curve)
    for size, (_, row) in zip(sizes, curve.iterrows(), strict=True):
        axes.errorbar(
            row["plasticity"], row["BWT"], xerr=half_width(row, "plasticity"),
            yerr=half_width(row, "BWT"), color=mark.colour, marker=mark.marker, ms=size, mew=1.2,
            mfc=mark.colour if is_curve else "white", ls="", elinewidth=0.5, alpha=0.85,
            label=_label(curve),
        )  # fmt: skip


def _label(curve: pd.DataFrame) -> str:
    name, weight = str(curve["strategy"].iloc[0]), curve["weight"]
    return f"{name}, λ {weight.min():g} to {weight.max():g}" if weight.notna().all() else name
