"""Forest plots: changes with their bounds, a row per candidate and a panel per score."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cl_seg.analysis.figures.style import STYLE, with_caveats

LOOKS = {
    "not worse": ("#1b7f5c", "o", "full"),
    "worse": ("#b42318", "X", "full"),
    "undecided": ("#6b7280", "o", "none"),
}
WORSE = "#fbe9e7"
PANEL_WIDTH, ROW_HEIGHT = 3.1, 0.3  # inches


@dataclass(frozen=True)
class ForestRow:
    """A change of one score by one candidate, after minus before.

    Attributes:
        label: of the candidate.
        change: mean change.
        lower, upper: its bounds; NaN without any.
        verdict: a key of ``LOOKS``.
    """

    label: str
    change: float
    lower: float
    upper: float
    verdict: str


@dataclass(frozen=True)
class ForestPanel:
    """One score.

    Attributes:
        title: its name.
        worse_from: change from which it is worse than the margin allows; negative where more is
            better.
        rows: of every candidate, in one order for all panels.
    """

    title: str
    worse_from: float
    rows: Sequence[ForestRow]


def forest(panels: Sequence[ForestPanel], caveats: Sequence[str]) -> Figure:
    """The figure; changes that are worse than the margin allows lie in the shaded part."""
    labels = [row.label for row in panels[0].rows]
    width = 0.075 * max(map(len, labels)) + PANEL_WIDTH * len(panels)
    with mpl.rc_context(STYLE):
        figure = Figure((width, 1.1 + ROW_HEIGHT * len(labels)), layout="constrained")
        shown = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
        for axes, panel in zip(shown, panels, strict=True):
            _draw(axes, panel)
        shown[0].set_yticks(range(len(labels)), labels)
        shown[0].set_ylim(len(labels) - 0.4, -0.6)
    return with_caveats(figure, caveats)


def _draw(axes: Axes, panel: ForestPanel) -> None:
    for y, row in enumerate(panel.rows):
        colour, marker, fill = LOOKS[row.verdict]
        if np.isfinite(row.lower):
            axes.plot([row.lower, row.upper], [y, y], color=colour, linewidth=1.4)
        axes.plot(row.change, y, marker, color=colour, fillstyle=fill, markersize=6)
    axes.axvline(0, color="#6b7280", linewidth=0.8)
    axes.margins(x=0.08)
    low, high = axes.get_xlim()
    reach = 1.5 * abs(panel.worse_from)  # 0 and the margin are always in view
    low, high = min(low, -reach), max(high, reach)
    edge = low if panel.worse_from < 0 else high
    axes.axvspan(panel.worse_from, edge, color=WORSE, linewidth=0, zorder=0)
    axes.set_xlim(low, high)
    axes.set_xlabel(f"change of {panel.title}")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
