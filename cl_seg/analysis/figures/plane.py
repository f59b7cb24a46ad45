"""The stability–plasticity plane: what a strategy keeps against what it learns."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cl_seg.analysis.figures.style import (
    STYLE,
    legend_above,
    lowest_labelled,
    strategy_marks,
    with_caveats,
)
from cl_seg.analysis.tables import NOT_EVALUABLE
from cl_seg.records.results import RunResult

PANEL = 4.2  # inches
STEPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # between lines of equal ACC
MAX_LINES = 25  # of equal ACC
TICKS = 5  # intervals between them; five digits each fit a panel where points are near each other


def stability_plane(summary: pd.DataFrame, results: Sequence[RunResult]) -> Figure | None:
    """BWT against plasticity: a panel per network, a mark per strategy that has both.

    Filled marks keep slices of earlier scanners. Rows that are not evaluable are left out; None
    where no row remains.

    Args:
        summary: table of :func:`cl_seg.analysis.tables.summary_table`.
        results: the runs it was made from. Lines of equal ACC are drawn where BWT has the same
            weight in it in all of them.
    """
    known = summary[summary["BWT"].notna() & summary["plasticity"].notna()]
    known = known[known["verdict"] != NOT_EVALUABLE]
    if known.empty:
        return None
    weight = weight_in_accuracy(results)
    models = list(dict.fromkeys(known["model"]))
    marks = strategy_marks(list(dict.fromkeys(summary["strategy"])))
    columns = columns_of(len(models))
    rows = -(-len(models) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure((PANEL * columns, 3.4 * rows + 0.9), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, model in zip(grid, models, strict=False):
            for _, row in known[known["model"] == model].iterrows():
                mark = marks[str(row["strategy"])]
                axes.errorbar(
                    row["plasticity"], row["BWT"], xerr=half_width(row, "plasticity"),
                    yerr=half_width(row, "BWT"), color=mark.colour, marker=mark.marker, ms=7,
                    mfc=mark.colour if row["kept_slices"] else "white", mew=1.4, ls="",
                    elinewidth=0.6, alpha=0.9, label=_label(row),
                )  # fmt: skip
            axes.set_title(model, loc="left")
            axes.xaxis.set_major_locator(MaxNLocator(TICKS))
            axes.grid(color="#eef0f3", lw=0.6)
        if weight is not None:
            equal_accuracy(list(grid[: len(models)]), weight)
        lowest_labelled(grid, columns, len(models))
        figure.supxlabel("plasticity", fontsize=9)
        figure.supylabel("BWT", fontsize=9)
        legend_above(figure, grid, PANEL * columns)
        return with_caveats(figure, results[0].caveats)


def columns_of(panels: int) -> int:
    """Columns of a grid of panels: two for four of them, else up to three."""
    return 2 if panels == 4 else min(panels, 3)


def half_width(row: "pd.Series[float]", name: str) -> float | None:
    """Half the width of the interval of a score, None where there is none."""
    value = row[f"{name} ±"]
    return float(value) if np.isfinite(value) else None


def _label(row: "pd.Series[float]") -> str:
    kept = int(row["kept_slices"])
    return f"{row['strategy']} ({kept} slices)" if kept else str(row["strategy"])


def weight_in_accuracy(results: Sequence[RunResult]) -> float | None:
    """w of ACC = plasticity + w · BWT: the share of scanners that BWT is a mean over.

    (N − 1) / N of N scanners, unless the last experience returns to one; None where runs differ.
    """
    weights = {
        sum(first < len(run.order) for first in run.first_visits.values()) / len(run.scanners)
        for run in results
    }
    return weights.pop() if len(weights) == 1 else None


def equal_accuracy(panels: Sequence[Axes], weight: float) -> None:
    """Lines ACC = plasticity + w · BWT at round values, in the limits that are; none if w is 0."""
    if not weight:
        return
    low, high = panels[0].get_xlim()
    bottom, top = panels[0].get_ylim()
    first, last = low + weight * bottom, high + weight * top
    step = next((step for step in STEPS if last - first <= MAX_LINES * step), STEPS[-1])
    values = step * np.arange(np.floor(first / step), last / step + 1)
    for axes in panels:
        for value in values:
            at = np.array([low, high])
            axes.plot(at, (value - at) / weight, color="#d1d5db", lw=0.6, zorder=0)
        axes.set_xlim(low, high)
        axes.set_ylim(bottom, top)
