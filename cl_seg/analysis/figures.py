"""Figures of a suite, drawn with matplotlib."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from cl_seg.analysis.labels import (
    any_long,
    extra_height,
    extra_width,
    longest_line,
    name_columns,
    name_rows,
    wrapped,
)
from cl_seg.analysis.results import RunResult

Cells = Mapping[tuple[str, str], Sequence[RunResult]]

MARKERS = "osD^vP*X<>hd"
Line = str | tuple[int, tuple[int, ...]]
LINES: tuple[Line, ...] = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))
WIDEST = 15.0  # inches
PNG_DPI = 200
LEGEND_LINE, STAMP_LINE = 0.2, 0.16  # inches
COLOURS = ("#3b6fb6", "#d1603d", "#4c9f70", "#8e5ea2", "#c9a227", "#5f6b7a", "#b8497a", "#2a9d9d")
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "text.parse_math": False,  # a scanner's name may hold $
    "svg.hashsalt": "cl_seg",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Mark:
    """How a strategy is drawn, told apart without colour too."""

    colour: str
    marker: str
    line: Line


def strategy_marks(strategies: Sequence[str]) -> dict[str, Mark]:
    """A mark per strategy."""
    kinds = zip(strategies, cycle(COLOURS), cycle(MARKERS), cycle(LINES), strict=False)
    return {name: Mark(colour, marker, line) for name, colour, marker, line in kinds}


def heat_maps(cells: Cells) -> Figure:
    """R of every network and strategy: mean Dice after each stage, per scanner."""
    first = next(iter(cells.values()))[0]
    tall = max(len(runs[0].matrix()) for runs in cells.values())
    names = [first.short_names[s] for s in first.order]
    width = 0.75 * len(names) + 0.9 + extra_width(names, 0.9)
    height = (0.34 if not any_long(names) else 0.4) * tall + 0.55
    rows = _rows_of_panels(cells, width)
    columns = max(map(len, rows))
    with mpl.rc_context(STYLE):
        size = width * columns + 1, height * len(rows) + 1 + extra_height(names)
        figure = Figure(size, layout=ConstrainedLayoutEngine(h_pad=0.08))
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for (row, column), (model, strategy) in _places(rows):
            runs = _same_order(cells.get((model, strategy), ()), first.order)
            if not runs:
                continue
            axes = grid[row][column]
            axes.set_axis_on()
            r = np.mean([run.matrix() for run in runs], axis=0)
            lowest = all(len(below) <= column for below in rows[row + 1 :])
            _heat_map(axes, r, names if lowest else [], _stages(runs[0]))
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


def _stages(run: RunResult) -> list[str]:
    if run.joint:
        return ["untrained", "all"]
    return ["untrained", *(run.short_names[s] for s in run.order)]


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
        for (row, model), (column, loss) in _product(models, losses):
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


def joint_differences(cells: Cells) -> Figure:
    """Dice points below joint training on every scanner after the last stage, orders averaged.

    A panel per network that has joint training; a row per strategy, a column per scanner.
    """
    models, strategies = _axes_of(cells)
    joint = {model: runs for (model, _), runs in cells.items() if runs[0].joint}
    models = [model for model in models if model in joint]
    first = next(iter(joint.values()))[0]
    streams = [s for s in strategies if any(_goes_on(cells.get((m, s), ())) for m in models)]
    names = [first.short_names[s] for s in first.order]
    width = max(2.0, 0.55 * len(names))
    with mpl.rc_context(STYLE):
        size = width * len(models) + 1.4, 0.28 * len(streams) + 1.5 + extra_height(names)
        figure = Figure(size, layout="constrained")
        grid = figure.subplots(1, len(models), squeeze=False, sharey=True)[0]
        for axes, model in zip(grid, models, strict=True):
            best = _last_dice(joint[model], first.order)
            below = [
                best - _last_dice(cells.get((model, strategy), ()), first.order)
                for strategy in streams
            ]
            _loss_map(axes, 100 * np.array(below))
            axes.set_title(model, loc="left")
            name_columns(axes, range(len(names)), names)
            axes.set_yticks(range(len(streams)), streams)
        return stamped(figure, first.stamps)


def streamed(cells: Cells) -> Cells:
    """Those whose network is taught one scanner after another: not joint, not from scratch."""
    return {key: runs for key, runs in cells.items() if _goes_on(runs)}


def _goes_on(runs: Sequence[RunResult]) -> bool:
    return bool(runs) and not runs[0].joint and runs[0].schedule != "single"


def _last_dice(runs: Sequence[RunResult], scanners: Sequence[str]) -> npt.NDArray[np.float64]:
    """Dice on every scanner after the last stage, mean over runs; NaN without runs."""
    if not _goes_on(runs) and not (runs and runs[0].joint):
        return np.full(len(scanners), np.nan)
    last = [dict(zip(run.order, run.matrix()[-1], strict=True)) for run in runs]
    return np.array([np.mean([dice[name] for dice in last]) for name in scanners])


def order_fans(cells: Cells) -> Figure:
    """Mean Dice over the scanners seen so far after every stage, a thin line per order.

    A panel per network and strategy; thick is the mean over orders.
    """
    streams = streamed(cells)
    rows = _rows_of_panels(streams, 1.9)
    columns = max(map(len, rows))
    first = next(iter(streams.values()))[0]
    with mpl.rc_context(STYLE):
        figure = Figure((1.9 * columns + 0.7, 1.7 * len(rows) + 0.6), layout="constrained")
        grid = figure.subplots(len(rows), columns, squeeze=False, sharex=True, sharey=True)
        for row, own in enumerate(rows):
            for axes in grid[row][len(own) :]:
                axes.set_axis_off()
        for (row, column), (model, strategy) in _places(rows):
            axes = grid[row][column]
            runs = streams.get((model, strategy), ())
            by_order = {tuple(run.order): [] for run in runs}  # type: dict[tuple[str, ...], list[Any]]
            for run in runs:
                r = run.matrix()
                by_order[tuple(run.order)].append([r[k, :k].mean() for k in range(1, len(r))])
            lines = [np.mean(values, axis=0) for values in by_order.values()]
            for line in lines:
                axes.plot(range(1, len(line) + 1), line, color=COLOURS[0], lw=0.9, alpha=0.55)
            if lines:
                mean = np.mean(lines, axis=0)
                axes.plot(range(1, len(mean) + 1), mean, color="#222222", lw=1.8)
            axes.set_title(f"{model} · {strategy}", loc="left")
            axes.grid(axis="y", color="#e5e7eb", lw=0.6)
            axes.set_xticks(range(1, len(first.order) + 1))
        figure.supxlabel("scanners learned", fontsize=9)
        figure.supylabel("mean Dice on them", fontsize=9)
        return stamped(figure, first.stamps)


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


def forgetting_curves(cells: Cells) -> Figure:
    """Test Dice on every scanner over the stream: a panel per network and scanner.

    The marker is the stage in which the scanner is learned; dotted lines are joint training.
    Bands are the range over runs of the same order.
    """
    models, strategies = _axes_of(cells)
    first = next(iter(cells.values()))[0]
    order = first.order
    marks = strategy_marks(strategies)
    width = 2.7 * len(order) + 0.6
    with mpl.rc_context(STYLE):
        names = [first.short_names[s] for s in order]
        height = 2.1 * len(models) + 0.9 + extra_height(names)
        figure = Figure((width, height), layout="constrained")
        grid = figure.subplots(len(models), len(order), sharex=True, sharey=True, squeeze=False)
        for (row, model), (column, scanner) in _product(models, order):
            axes = grid[row][column]
            for strategy in strategies:
                runs = _same_order(cells.get((model, strategy), ()), order)
                if runs:
                    _curve(axes, runs, column, marks[strategy], strategy)
            axes.axvspan(0.6, column + 0.5, color="#f3f4f6", zorder=0, lw=0)
            axes.grid(axis="y", color="#e5e7eb", lw=0.6)
            axes.set_title(wrapped(f"{model} on {first.short_names[scanner]}", 34), loc="left")
        scores = np.concatenate([r.matrix()[1:].ravel() for runs in cells.values() for r in runs])
        lowest = scores[np.isfinite(scores)].min(initial=1)
        for axes in grid[-1]:
            name_columns(axes, range(1, len(names) + 1), names)
            axes.set_xlim(0.6, len(order) + 0.4)
            axes.set_ylim(min(0.9, np.floor(lowest * 10) / 10), 1)
        for row_axes in grid:
            row_axes[0].set_ylabel("mean Dice")
        legend_above(figure, grid.flat, width)
        return stamped(figure, first.stamps)


def legend_above(figure: Figure, panels: Iterable[Axes], width: float) -> None:
    """One legend of what all panels show, in as many lines as it takes."""
    shown: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    if not shown:
        return
    columns = min(len(shown), max(1, int(width / (0.075 * max(map(len, shown)) + 0.55))))
    figure.set_figheight(figure.get_figheight() + LEGEND_LINE * (-(-len(shown) // columns)))
    figure.legend(
        handles=list(shown.values()),
        labels=list(shown),
        loc="outside upper center",
        ncols=columns,
        frameon=False,
    )


def _curve(axes: Axes, runs: Sequence[RunResult], column: int, mark: Mark, strategy: str) -> None:
    values = np.array([run.matrix()[1:, column] for run in runs])
    if runs[0].joint:
        axes.axhline(values[:, -1].mean(), color="#222222", ls=":", lw=1.3, label=strategy)
        return
    x = np.arange(1, values.shape[1] + 1)
    axes.fill_between(x, values.min(0), values.max(0), color=mark.colour, alpha=0.15, lw=0)
    axes.plot(
        x, values.mean(0), color=mark.colour, ls=mark.line, lw=1.5, alpha=0.85, label=strategy,
        marker=mark.marker, ms=5, markevery=[column],
    )  # fmt: skip


def validation_curves(runs: Sequence[RunResult]) -> Figure:
    """Validation Dice of every scanner over the optimiser steps of the stream, one run a panel."""
    scanners = runs[0].order
    colours = dict(zip(scanners, COLOURS * 9, strict=False))
    with mpl.rc_context(STYLE):
        columns = min(4, len(runs))
        rows = -(-len(runs) // columns)
        width = 2.9 * columns + 0.4
        figure = Figure((width, 2.0 * rows + 0.6), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, run in zip(panels, runs, strict=False):
            start, edges = 0, []
            means = run.validation
            steps = []
            for stage in run.record["stages"]:
                here = means.loc[stage["position"]].index if len(means) else []
                steps += [start + step for step in here]
                start += stage["steps"]
                edges.append(start)
            for scanner in means.columns:
                name = run.short_names[scanner]
                axes.plot(steps, means[scanner], color=colours[scanner], lw=1.4, label=name)
            for edge in edges[:-1]:
                axes.axvline(edge, color="#9ca3af", lw=0.8, ls=":")
            axes.set_title(f"{run.model} · {run.strategy}", loc="left")
            axes.set_ylim(0, 1)
            axes.grid(axis="y", color="#e5e7eb", lw=0.6)
        for axes in panels[len(runs) :]:
            axes.set_axis_off()
        figure.supxlabel("optimiser steps", fontsize=9)
        figure.supylabel("validation Dice", fontsize=9)
        legend_above(figure, panels[:1], width)
        return stamped(figure, runs[0].stamps)


def _axes_of(cells: Cells) -> tuple[list[str], list[str]]:
    models = list(dict.fromkeys(model for model, _ in cells))
    strategies = list(dict.fromkeys(strategy for _, strategy in cells))
    return models, strategies


def _rows_of_panels(cells: Cells, width: float) -> list[list[tuple[str, str]]]:
    """Network and strategy of the panels of every row, each ``width`` inches wide.

    Every network begins a row; of one strategy the networks are beside each other.
    """
    models, strategies = _axes_of(cells)
    groups = [[(model, strategy) for strategy in strategies] for model in models]
    groups = groups if len(strategies) > 1 else [list(chain.from_iterable(groups))]
    most = max(1, int(WIDEST / width))
    columns = [-(-len(own) // -(-len(own) // most)) for own in groups]  # rows of about one length
    return [
        own[i : i + step]
        for own, step in zip(groups, columns, strict=True)
        for i in range(0, len(own), step)
    ]


def _places(
    rows: list[list[tuple[str, str]]],
) -> list[tuple[tuple[int, int], tuple[str, str]]]:
    return [((i, j), panel) for i, own in enumerate(rows) for j, panel in enumerate(own)]


def _product(rows: list[str], columns: list[str]) -> list[tuple[tuple[int, str], tuple[int, str]]]:
    return [(row, column) for row in enumerate(rows) for column in enumerate(columns)]


def _same_order(runs: Sequence[RunResult], order: list[str]) -> list[RunResult]:
    return [run for run in runs if run.order == order]


def stamped(figure: Figure, stamps: Sequence[str]) -> Figure:
    """The figure, laid out, with what it must say in a corner."""
    line = STAMP_LINE / figure.get_figheight()
    layout = figure.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.set(rect=(0, line, 1, 1 - line))
        layout.execute(figure)
        figure.set_layout_engine("none")  # once is enough for all formats
        for label in figure.texts:
            if label.get_position()[1] < line:
                label.set_y(label.get_position()[1] + line)  # the rectangle is for axes alone
    below = 0 if layout else -line
    figure.text(1, below, " · ".join(stamps), ha="right", va="bottom", fontsize=7, color="#6b7280")
    return figure


def as_svg(figure: Figure) -> str:
    """A figure as SVG text, the same bytes every time."""
    text = drawn(figure, "svg").decode()
    return text[text.index("<svg") :]


def drawn(figure: Figure, kind: str) -> bytes:
    """A figure as ``svg``, ``pdf`` or ``png``, the same bytes every time.

    One without a layout of its own is cut to what is in it.
    """
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        laid_out = figure.get_layout_engine() is not None
        if laid_out and kind == "svg":
            # savefig would draw it twice, the first time to find its layout.
            figure.set_dpi(PNG_DPI)
            FigureCanvasSVG(figure).print_svg(buffer, metadata=undated["svg"])  # type: ignore[no-untyped-call]
        else:
            box = None if laid_out else "tight"
            figure.savefig(
                buffer, format=kind, bbox_inches=box, dpi=PNG_DPI, metadata=undated.get(kind)
            )
    return buffer.getvalue()
