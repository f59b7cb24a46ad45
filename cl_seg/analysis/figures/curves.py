"""Dice over the stream: per scanner, per order, and in validation over optimiser steps."""

from collections.abc import Sequence
from itertools import product

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cl_seg.analysis.figures.labels import extra_height, name_columns, thinned, wrapped
from cl_seg.analysis.figures.panels import (
    first_runs,
    networks_and_strategies,
    of_order,
    positions_of_panels,
    rows_of_panels,
    runs_of_streams,
)
from cl_seg.analysis.figures.style import (
    COLOURS,
    STYLE,
    Mark,
    legend_above,
    lowest_labelled,
    strategy_marks,
    with_caveats,
)
from cl_seg.analysis.many_scanners import SHOWN_OF_MANY, is_many, shown_scanners
from cl_seg.analysis.tables import runs_by_configuration
from cl_seg.records.results import RunResult

Dice = npt.NDArray[np.float64]
LEAST_SPAN = 0.1  # of an axis of Dice


def forgetting_curves(results: Sequence[RunResult]) -> Figure | None:
    """Test Dice on every scanner over the stream: a panel per network and scanner.

    None where all training is joint. Of many scanners those are shown on which most was lost.

    Markers are the stages that train on the scanner, all there is of a network per scanner; dotted
    lines are joint training. Bands are the range over runs of the same order. The axis of a network
    holds what comes after learning: what was before is often far below.
    """
    if all(run.is_joint for run in results):
        return None
    by_configuration = runs_by_configuration(results)
    models, strategies = networks_and_strategies(by_configuration)
    first = results[0]
    shown = shown_scanners(results)
    column_of = {scanner: column for column, scanner in enumerate(first.scanners)}
    marks = strategy_marks(strategies)
    width = 2.7 * len(shown) + 0.6
    with mpl.rc_context(STYLE):
        names = first.stage_names
        height = 2.1 * len(models) + 0.9 + extra_height(names)
        figure = Figure((width, height), layout="constrained")
        grid = figure.subplots(len(models), len(shown), sharex=True, sharey="row", squeeze=False)
        for (row, model), (panel, scanner) in product(enumerate(models), enumerate(shown)):
            axes, visits = grid[row][panel], _visits(first, scanner)
            for strategy in strategies:
                runs = of_order(by_configuration.get((model, strategy), ()), first.order)
                if runs:
                    values = np.array([run.matrix()[1:, column_of[scanner]] for run in runs])
                    _curve(axes, runs[0], values, visits, marks[strategy])
            axes.axvspan(0.6, visits[0] - 0.5, color="#f3f4f6", zorder=0, lw=0)
            axes.grid(axis="y", color="#e5e7eb", lw=0.6)
            axes.set_title(wrapped(f"{model} on {first.short_names[scanner]}", 34), loc="left")
        for axes in grid[-1]:
            name_columns(axes, range(1, len(names) + 1), names)
            axes.set_xlim(0.6, len(names) + 0.4)
        for model, row_axes in zip(models, grid, strict=True):
            own = [run for run in of_order(results, first.order) if run.network == model]
            row_axes[0].set_ylim(*_limits(own))
            row_axes[0].set_ylabel("mean Dice")
        legend_above(figure, grid.flat, width)
        return with_caveats(figure, first.caveats)


def _visits(run: RunResult, scanner: str) -> list[int]:
    """Positions, from 1, of the experiences on a scanner."""
    return [position for position, own in enumerate(run.visits, start=1) if scanner in own]


def _curve(axes: Axes, first: RunResult, values: Dice, visits: list[int], mark: Mark) -> None:
    """Draw (runs, stages) Dice on one scanner, of runs that are like the first."""
    strategy = first.strategy
    if first.is_joint:
        axes.axhline(values[:, -1].mean(), color="#222222", ls=":", lw=1.3, label=strategy)
        return
    x = np.arange(1, values.shape[1] + 1)
    if first.training_regime == "single":
        values = np.where(np.isin(x, visits), values, np.nan)
    else:
        tested = np.isfinite(values).all(axis=0)
        x, values = x[tested], values[:, tested]
    axes.fill_between(x, values.min(0), values.max(0), color=mark.colour, alpha=0.15, lw=0)
    axes.plot(
        x, values.mean(0), color=mark.colour, ls=mark.line, lw=1.5, alpha=0.85, label=strategy,
        marker=mark.marker, ms=5, markevery=np.flatnonzero(np.isin(x, visits)).tolist(),
    )  # fmt: skip


def _limits(runs: Sequence[RunResult]) -> tuple[float, float]:
    """Limits of the axis of a network: twentieths around what comes after learning."""
    dice = np.concatenate([_after_learning(run) for run in runs] or [np.array([1.0])])
    low, high = np.floor(20 * dice.min()) / 20, np.ceil(20 * dice.max()) / 20
    middle = (low + high) / 2
    low, high = min(low, middle - LEAST_SPAN / 2), max(high, middle + LEAST_SPAN / 2)
    return (1 - LEAST_SPAN, 1.0) if low > 1 - LEAST_SPAN else (max(0.0, low), min(1.0, high))


def _after_learning(run: RunResult) -> Dice:
    """Dice on every scanner from its learning on."""
    r, first = run.matrix()[1:], np.array(list(run.first_visits.values()))
    stages = np.arange(1, len(r) + 1)[:, None]
    after = r.ravel() if run.is_joint or run.by_months else r[stages >= first]
    if run.training_regime == "single":
        after = run.after_learning()
    return after[np.isfinite(after)]


def order_fans(results: Sequence[RunResult]) -> Figure | None:
    """Mean Dice over the scanners seen so far after every experience, a thin line per order.

    Or per replicate. A panel per network and strategy; thick is their mean. None of a single one.
    """
    streams = runs_of_streams(runs_by_configuration(results))
    if len({run.order_and_seed[0] for runs in streams.values() for run in runs}) < 2:
        return None
    rows = rows_of_panels(streams, 1.9)
    columns = max(map(len, rows))
    first = next(iter(streams.values()))[0]
    longest = max(len(run.order) for runs in streams.values() for run in runs)
    with mpl.rc_context(STYLE):
        figure = Figure((1.9 * columns + 0.7, 1.7 * len(rows) + 0.6), layout="constrained")
        grid = figure.subplots(len(rows), columns, squeeze=False, sharex=True, sharey=True)
        for row, own in enumerate(rows):
            for axes in grid[row][len(own) :]:
                axes.set_axis_off()
        for (row, column), (model, strategy) in positions_of_panels(rows):
            axes = grid[row][column]
            runs = streams.get((model, strategy), ())
            by_order: dict[tuple[str, ...], list[list[float]]]
            by_order = {run.order_and_seed[0]: [] for run in runs}
            for run in runs:
                seen = [len(set(run.order[:k])) for k in range(1, len(run.order) + 1)]
                stages = zip(run.matrix()[1:], seen, strict=True)
                by_order[run.order_and_seed[0]].append(
                    [row[:count].mean() for row, count in stages]
                )
            lines = [np.mean(values, axis=0) for values in by_order.values()]
            for line in lines:
                axes.plot(*_tested(line), color=COLOURS[0], lw=0.9, alpha=0.55)
            if lines:
                mean = pd.DataFrame(lines).mean()  # orders may differ in length
                axes.plot(*_tested(mean.to_numpy()), color="#222222", lw=1.8)
            axes.set_title(f"{model} · {strategy}", loc="left")
            axes.grid(axis="y", color="#e5e7eb", lw=0.6)
            axes.set_xticks(range(1, longest + 1)[thinned(longest, SHOWN_OF_MANY)])
        returning = any(run.returns for runs in streams.values() for run in runs)
        figure.supxlabel("experiences" if returning else "scanners learned", fontsize=9)
        figure.supylabel("mean Dice on them", fontsize=9)
        return with_caveats(figure, first.caveats)


def _tested(line: Dice) -> tuple[npt.NDArray[np.intp], Dice]:
    """Numbers of stages, and the Dice after each, of those after which all scanners were tested."""
    tested = np.isfinite(line)
    return np.flatnonzero(tested) + 1, line[tested]


def validation_curves(results: Sequence[RunResult]) -> Figure | None:
    """Validation Dice of every scanner over the optimiser steps of the stream.

    A panel per network and strategy, of its first run. None where nothing was validated. Of many
    scanners those are shown on which most was lost.
    """
    runs = [run for run in first_runs(results) if not run.is_joint and len(run.curve)]
    if not runs:
        return None
    scanners = shown_scanners(results)
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
            for stage in run.record.stages:
                if len(means):
                    steps += [start + step for step in means.loc[stage.position].index]
                start += stage.steps
                edges.append(start)
            for scanner in filter(colours.__contains__, means.columns):
                name = run.short_names[scanner]
                axes.plot(steps, means[scanner], color=colours[scanner], lw=1.4, label=name)
            for edge in edges[:-1] if not is_many(len(edges)) else ():
                axes.axvline(edge, color="#9ca3af", lw=0.8, ls=":")
            axes.set_title(f"{run.network} · {run.strategy}", loc="left")
            axes.set_ylim(0, 1)
            axes.grid(axis="y", color="#e5e7eb", lw=0.6)
        lowest_labelled(panels, columns, len(runs))
        figure.supxlabel("optimiser steps", fontsize=9)
        figure.supylabel("validation Dice", fontsize=9)
        legend_above(figure, panels[:1], width)
        return with_caveats(figure, runs[0].caveats)
