"""Mean ranks of networks with their intervals."""

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cl_seg.analysis.figures.style import COLOURS, STYLE, lowest_labelled, with_caveats
from cl_seg.analysis.ranks import LastDice, critical_difference, mean_ranks, unit_ranks

PER_ROW = 4


def rank_figure(last_dice: LastDice, caveats: Sequence[str]) -> Figure | None:
    """A panel per strategy that two networks or more were trained with; None without any.

    Args:
        last_dice: tables of :func:`cl_seg.analysis.ranks.last_dice_by_configuration`.
        caveats: sentences that the figure must show.
    """
    ranks = {s: mean_ranks(last_dice, s) for s in dict.fromkeys(own for _, own in last_dice)}
    ranks = {strategy: table for strategy, table in ranks.items() if len(table)}
    if not ranks:
        return None
    columns = min(PER_ROW, len(ranks))
    rows = -(-len(ranks) // columns)
    most = max(map(len, ranks.values()))
    with mpl.rc_context(STYLE):
        size = 2.7 * columns + 0.8, (0.26 * most + 0.95) * rows + 0.3
        figure = Figure(size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, (strategy, table) in zip(grid.flat, ranks.items(), strict=False):
            _panel(axes, table, len(unit_ranks(last_dice, strategy)))
            axes.set_title(strategy, loc="left")
        lowest_labelled(grid.flat, columns, len(ranks))
        figure.supxlabel("mean rank", fontsize=9)
        return with_caveats(figure, caveats)


def _panel(axes: Axes, table: pd.DataFrame, units: int) -> None:
    axes.hlines(table["model"], table["low"], table["high"], color=COLOURS[0], lw=2.2, alpha=0.6)
    axes.plot(table["rank"], table["model"], "o", color=COLOURS[0], ms=5)
    if len(table) > 2:
        span = critical_difference(len(table), units)
        axes.barh(-0.6, span, left=1, height=0.14, color="#9ca3af")
    axes.set_ylim(len(table) - 0.5, -0.9)
    axes.set_xlim(0.9, len(table) + 0.1)
    axes.set_xticks(range(1, len(table) + 1))
    axes.grid(axis="x", color="#e5e7eb", lw=0.6)
