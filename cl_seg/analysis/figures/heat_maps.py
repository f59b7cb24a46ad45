"""Accuracy matrices R as numbers on coloured cells; of many scanners as colours alone."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from cl_seg.analysis.figures.labels import (
    any_long,
    extra_height,
    extra_width,
    name_columns,
    name_rows,
)
from cl_seg.analysis.figures.panels import (
    of_order,
    positions_of_panels,
    rows_of_panels,
)
from cl_seg.analysis.figures.style import COLOURS, STYLE, colour_bar, with_caveats
from cl_seg.analysis.many_scanners import MOST_SCANNERS, is_many
from cl_seg.analysis.tables import runs_by_configuration
from cl_seg.records.results import RunResult

FRAME = COLOURS[1]  # stands out from all blues and yellows
MAP_OF_MANY = 2.9, 2.9
"""Width and height of the R of many scanners, in inches."""


def heat_maps(results: Sequence[RunResult]) -> Figure:
    """R of every network and strategy: mean Dice after each stage, per scanner."""
    by_configuration, first = runs_by_configuration(results), results[0]
    tall = max(len(runs[0].matrix()) for runs in by_configuration.values())
    names = [first.short_names[s] for s in first.scanners]
    many = is_many(len(names))
    width = MAP_OF_MANY[0] if many else 0.75 * len(names) + 0.35
    of_stages = 0.65 + extra_width(names, 0.9)
    height = MAP_OF_MANY[1] if many else (0.34 if not any_long(names) else 0.4) * tall + 0.55
    rows = rows_of_panels(by_configuration, width)
    columns = max(map(len, rows))
    with mpl.rc_context(STYLE):
        size = width * columns + 2 * of_stages, height * len(rows) + 1 + extra_height(names)
        figure = Figure(size, layout=ConstrainedLayoutEngine(h_pad=0.08))
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for (row, column), (model, strategy) in positions_of_panels(rows):
            runs = of_order(by_configuration.get((model, strategy), ()), first.order)
            if not runs:
                continue
            axes = grid[row][column]
            axes.set_axis_on()
            r = np.mean([run.matrix() for run in runs], axis=0)
            lowest = all(len(below) <= column for below in rows[row + 1 :])
            named = column == 0 or len(r) < tall
            _heat_map(axes, r, names if lowest else [], _stages(runs[0]) if named else [])
            _frame_learned(axes, runs[0])
            axes.set_title(f"{model} · {strategy}", loc="left")
        figure.supylabel("after training on", fontsize=9)
        figure.supxlabel("Dice on", fontsize=9)
        if many:
            colour_bar(figure, grid, "Dice")
        return with_caveats(figure, first.caveats)


def heat_map_pixels(run: RunResult, name: str = "mean") -> npt.NDArray[np.uint8]:
    """R of one run as a picture, (H, W, 4) RGBA.

    Args:
        run: finished run.
        name: class, or ``mean``.
    """
    r, names = run.matrix(name), [run.short_names[s] for s in run.scanners]
    with mpl.rc_context(STYLE):
        most = MOST_SCANNERS + 1
        size = (
            min(len(names), most) + 1.5 + extra_width(names, 1.5),
            0.4 * min(len(r), most) + 1.2 + extra_height(names),
        )
        figure = Figure(size, dpi=120)
        canvas = FigureCanvasAgg(figure)
        axes = figure.subplots()
        _heat_map(axes, r, names, _stages(run))
        _frame_learned(axes, run)
        axes.set_title(f"{run.network} · {run.strategy} · {name}", loc="left")
        figure.tight_layout()
        canvas.draw()  # type: ignore[no-untyped-call]
        return np.asarray(canvas.buffer_rgba()).copy()  # type: ignore[no-untyped-call]


def _heat_map(axes: Axes, r: np.ndarray, names: list[str], stages: list[str]) -> None:
    axes.imshow(r, cmap="YlGnBu", vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(r) if not is_many(r.shape[1]) else ():
        axes.text(
            j, i, "–" if np.isnan(value) else f"{value:.2f}",
            ha="center", va="center", fontsize=8, color="white" if value > 0.6 else "#222222",
            clip_on=True,
        )  # fmt: skip
    name_columns(axes, range(len(names)), names)
    name_rows(axes, stages)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _frame_learned(axes: Axes, run: RunResult) -> None:
    """Frame the cells right after learning a scanner, from which forgetting is counted."""
    if run.is_joint or run.by_months:
        return
    for column, stage in enumerate(run.first_visits.values()):
        if stage < len(run.matrix()):
            corner = column - 0.5, stage - 0.5
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec=FRAME, lw=1.6, clip_on=False))


def _stages(run: RunResult) -> list[str]:
    if run.is_joint:
        return ["untrained", "all"]
    return ["untrained", *run.stage_names]
