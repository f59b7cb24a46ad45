"""Numbers on coloured cells: R, what is below joint training, losses of pairs of scanners."""

from collections.abc import Mapping, Sequence
from itertools import product

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from cl_seg.analysis.figures.labels import (
    any_long,
    extra_height,
    extra_width,
    longest_line,
    name_columns,
    name_rows,
    wrapped,
)
from cl_seg.analysis.figures.panels import (
    Cells,
    axes_of,
    goes_on,
    places,
    rows_of_panels,
    same_order,
)
from cl_seg.analysis.figures.style import STYLE, stamped
from cl_seg.records.results import RunResult


def heat_maps(cells: Cells) -> Figure:
    """R of every network and strategy: mean Dice after each stage, per scanner."""
    first = next(iter(cells.values()))[0]
    tall = max(len(runs[0].matrix()) for runs in cells.values())
    names = [first.short_names[s] for s in first.order]
    width, of_stages = 0.75 * len(names) + 0.35, 0.65 + extra_width(names, 0.9)
    height = (0.34 if not any_long(names) else 0.4) * tall + 0.55
    rows = rows_of_panels(cells, width)
    columns = max(map(len, rows))
    with mpl.rc_context(STYLE):
        size = width * columns + 2 * of_stages, height * len(rows) + 1 + extra_height(names)
        figure = Figure(size, layout=ConstrainedLayoutEngine(h_pad=0.08))
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for (row, column), (model, strategy) in places(rows):
            runs = same_order(cells.get((model, strategy), ()), first.order)
            if not runs:
                continue
            axes = grid[row][column]
            axes.set_axis_on()
            r = np.mean([run.matrix() for run in runs], axis=0)
            lowest = all(len(below) <= column for below in rows[row + 1 :])
            named = column == 0 or len(r) < tall
            _heat_map(axes, r, names if lowest else [], _stages(runs[0]) if named else [])
            axes.set_title(f"{model} · {strategy}", loc="left")
        figure.supylabel("after training on", fontsize=9)
        figure.supxlabel("Dice on", fontsize=9)
        return stamped(figure, first.stamps)


def heat_map_pixels(run: RunResult, name: str = "mean") -> npt.NDArray[np.uint8]:
    """R of one run as a picture, (H, W, 4) RGBA.

    Args:
        run: finished run.
        name: class, or ``mean``.
    """
    r, names = run.matrix(name), [run.short_names[s] for s in run.order]
    with mpl.rc_context(STYLE):
        size = len(names) + 1.5 + extra_width(names, 1.5), 0.4 * len(r) + 1.2 + extra_height(names)
        figure = Figure(size, dpi=120)
        canvas = FigureCanvasAgg(figure)
        axes = figure.subplots()
        _heat_map(axes, r, names, _stages(run))
        axes.set_title(f"{run.model} · {run.strategy} · {name}", loc="left")
        figure.tight_layout()
        canvas.draw()  # type: ignore[no-untyped-call]
        return np.asarray(canvas.buffer_rgba()).copy()  # type: ignore[no-untyped-call]


def joint_differences(cells: Cells) -> Figure:
    """Dice points below joint training on every scanner after the last stage, orders averaged.

    A panel per network that has joint training; a row per strategy, a column per scanner.
    """
    models, strategies = axes_of(cells)
    joint = {model: runs for (model, _), runs in cells.items() if runs[0].joint}
    models = [model for model in models if model in joint]
    first = next(iter(joint.values()))[0]
    streams = [s for s in strategies if any(goes_on(cells.get((m, s), ())) for m in models)]
    scanners = list(dict.fromkeys(s for runs in joint.values() for run in runs for s in run.order))
    names = [first.short_names[s] for s in scanners]
    width = max(2.0, 0.55 * len(names))
    with mpl.rc_context(STYLE):
        size = width * len(models) + 1.4, 0.28 * len(streams) + 1.5 + extra_height(names)
        figure = Figure(size, layout="constrained")
        grid = figure.subplots(1, len(models), squeeze=False, sharey=True)[0]
        for axes, model in zip(grid, models, strict=True):
            best = _last_dice(joint[model], scanners)
            below = [
                best - _last_dice(cells.get((model, strategy), ()), scanners)
                for strategy in streams
            ]
            _loss_map(axes, 100 * np.array(below))
            axes.set_title(model, loc="left")
            name_columns(axes, range(len(names)), names)
            axes.set_yticks(range(len(streams)), streams)
        return stamped(figure, first.stamps)


def pair_losses(
    panels: Mapping[tuple[str, str], npt.NDArray[np.float64]],
    firsts: Sequence[str],
    seconds: Sequence[str],
    stamps: Sequence[str],
) -> Figure:
    """Losses of every ordered pair of scanners in Dice points, a panel per network and loss.

    Args:
        panels: (network, loss) → first scanner by second, NaN where there is no such pair.
        firsts: names of the first scanners.
        seconds: names of the second scanners.
        stamps: what the figure must say.
    """
    models = list(dict.fromkeys(model for model, _ in panels))
    losses = list(dict.fromkeys(loss for _, loss in panels))
    with mpl.rc_context(STYLE):
        width = max(2.2, 0.5 * len(seconds)) * len(losses) + 0.085 * longest_line(firsts) + 0.6
        height = (max(0.6, 0.32 * len(firsts)) + 0.45) * len(models) + 0.6
        height += 0.085 * longest_line(seconds)
        figure = Figure((width, height), layout="constrained")
        grid = figure.subplots(len(models), len(losses), squeeze=False, sharex=True, sharey=True)
        for (row, model), (column, loss) in product(enumerate(models), enumerate(losses)):
            axes, values = grid[row][column], panels[model, loss]
            _loss_map(axes, values)
            known = values[np.isfinite(values)]
            middle = f"median {np.median(known):.1f}" if known.size else "not measured"
            axes.set_title(f"{model} · {loss}, {middle}", loc="left")
            axes.set_xticks(range(len(seconds)), map(wrapped, seconds), rotation=90)
            name_rows(axes, firsts)
        figure.supylabel("first scanner", fontsize=9)
        figure.supxlabel("second scanner", fontsize=9)
        return stamped(figure, stamps)


def _heat_map(axes: Axes, r: np.ndarray, names: list[str], stages: list[str]) -> None:
    axes.imshow(r, cmap="YlGnBu", vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(r):
        axes.text(
            j, i, "–" if np.isnan(value) else f"{value:.2f}",
            ha="center", va="center", fontsize=8, color="white" if value > 0.6 else "#222222",
            clip_on=True,
        )  # fmt: skip
    name_columns(axes, range(len(names)), names)
    name_rows(axes, stages)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _loss_map(axes: Axes, values: npt.NDArray[np.float64]) -> None:
    axes.imshow(values, cmap="RdBu_r", vmin=-30, vmax=30, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            axes.text(
                j, i, f"{value:.1f}", ha="center", va="center", fontsize=7.5,
                color="white" if abs(value) > 20 else "#222222", clip_on=True,
            )  # fmt: skip
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _stages(run: RunResult) -> list[str]:
    if run.joint:
        return ["untrained", "all"]
    return ["untrained", *(run.short_names[s] for s in run.order)]


def _last_dice(runs: Sequence[RunResult], scanners: Sequence[str]) -> npt.NDArray[np.float64]:
    """Dice on every scanner after the last stage, mean over its runs; NaN without any."""
    if not goes_on(runs) and not (runs and runs[0].joint):
        return np.full(len(scanners), np.nan)
    last = [dict(zip(run.order, run.matrix()[-1], strict=True)) for run in runs]
    each = {name: [dice[name] for dice in last if name in dice] for name in scanners}
    return np.array([np.mean(dice) if dice else np.nan for dice in each.values()])
