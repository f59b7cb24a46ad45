"""Bland–Altman plots of areas."""

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from cl_seg.analysis.figures.style import COLOURS, MARKERS, STYLE, legend_above, with_caveats
from cl_seg.analysis.many_scanners import is_many
from cl_seg.analysis.tables import runs_by_configuration
from cl_seg.metrics.agreement import bland_altman
from cl_seg.records.results import RunResult


def bland_altman_figure(areas: pd.DataFrame, results: Sequence[RunResult]) -> Figure:
    """Difference against mean of found and true area: a panel per network, its first strategy.

    Args:
        areas: rows of one class of :func:`cl_seg.analysis.areas.area_table`.
        results: the runs it was made from.
    """
    measured = set(zip(areas["model"], areas["strategy"], strict=True))
    first: dict[str, str] = {}
    for model, strategy in filter(measured.__contains__, runs_by_configuration(results)):
        first.setdefault(model, strategy)
    scanners = list(dict.fromkeys(areas["scanner"]))
    many = is_many(len(scanners))  # a legend of all would fill the page
    with mpl.rc_context(STYLE):
        width = 2.6 * len(first) + 1.0
        figure = Figure((width, 3.0), layout="constrained")
        grid = figure.subplots(1, len(first), squeeze=False, sharex=True, sharey=True)[0]
        for axes, (model, strategy) in zip(grid, first.items(), strict=True):
            points = areas[(areas["model"] == model) & (areas["strategy"] == strategy)]
            for index, scanner in enumerate(scanners):
                look = 0 if many else index % 8
                here = points[points["scanner"] == scanner]
                axes.plot(
                    (here["found_cm2"] + here["true_cm2"]) / 2,
                    here["found_cm2"] - here["true_cm2"],
                    MARKERS[look], color=COLOURS[look], ms=4, alpha=0.8, mew=0,
                    label="_" * many + scanner,
                )  # fmt: skip
            found, true = (points[c].to_numpy(float) for c in ("found_cm2", "true_cm2"))
            limits = bland_altman(found, true)
            for value, style in ((limits.bias, "-"), (limits.lower, "--"), (limits.upper, "--")):
                axes.axhline(value, color="#222222", lw=0.8, ls=style)
            axes.axhline(0, color="#d1d5db", lw=0.8, zorder=0)
            axes.set_title(f"{model} · {strategy}", loc="left")
        figure.supxlabel("mean of found and true area, cm²", fontsize=9)
        figure.supylabel("found − true, cm²", fontsize=9)
        legend_above(figure, grid[:1], width)
        return with_caveats(figure, results[0].caveats)
