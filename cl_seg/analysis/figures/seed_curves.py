"""Dice against the number of SEED images."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cl_seg.analysis.figures.style import COLOURS, MARKERS, STYLE, legend_above, with_caveats
from cl_seg.records.results import RunResult


def seed_curves(table: pd.DataFrame, results: Sequence[RunResult]) -> Figure:
    """Dice against the number of SEED images: a panel per network (rows) and class (columns).

    Args:
        table: table of :func:`cl_seg.analysis.seed_curve.seed_curve_table`.
        results: the runs it was made from.
    """
    classes = results[0].classes
    models = list(dict.fromkeys(table["model"]))
    lines = list(dict.fromkeys(zip(table["strategy"], table["by"], strict=True)))
    looks = {line: (COLOURS[i % 8], MARKERS[i % 8]) for i, line in enumerate(lines)}
    counts = sorted(table["images"].unique())
    lowest = table[[f"Dice {name}" for name in classes]].min().min()
    with mpl.rc_context(STYLE):
        size = 3.4 * len(classes) + 0.8, 2.5 * len(models) + 0.6
        figure = Figure(size, layout="constrained")
        grid = figure.subplots(len(models), len(classes), squeeze=False, sharex=True, sharey=True)
        for row, model in enumerate(models):
            for column, name in enumerate(classes):
                axes = grid[row][column]
                for place, line in enumerate(lines):
                    own = table[(table["model"] == model) & (table["strategy"] == line[0])]
                    beside = 1 + 0.05 * (place - (len(lines) - 1) / 2)
                    _curve(axes, own[own["by"] == line[1]], name, *looks[line], beside)
                _set_scale(axes, counts)
                axes.set_xticks(counts, [str(n) for n in counts])
                axes.minorticks_off()
                axes.set_ylim(max(0.0, np.floor(10 * lowest - 0.5) / 10), 1)
                axes.grid(axis="y", color="#e5e7eb", lw=0.6)
                axes.set_title(f"{model} · {name}", loc="left")
        figure.supxlabel("SEED images", fontsize=9)
        figure.supylabel("Dice", fontsize=9)
        legend_above(figure, grid.flat, size[0])
        return with_caveats(figure, results[0].caveats)


def _set_scale(axes: Axes, counts: Sequence[int]) -> None:
    """Powers of two, and 0, of a saved model as it is, where half the smallest count would be."""
    if counts[0] > 0:
        axes.set_xscale("log", base=2)
    else:
        axes.set_xscale("symlog", base=2, linthresh=counts[1], linscale=0.5)


def _curve(
    axes: Axes, rows: pd.DataFrame, name: str, colour: str, marker: str, beside: float
) -> None:
    if rows.empty:
        return
    first = rows.iloc[0]
    start = "from scratch" if first["start"] == "scratch" else f"transfer, {first['strategy']}"
    axes.errorbar(
        rows["images"] * beside,
        rows[f"Dice {name}"],
        yerr=rows[f"Dice {name} ±"].fillna(0),
        color=colour,
        marker=marker,
        markersize=4,
        linestyle="--" if first["start"] == "scratch" else "-",
        linewidth=1.4,
        elinewidth=0.9,
        capsize=2,
        label=f"{start} · {first['by']}",
    )
