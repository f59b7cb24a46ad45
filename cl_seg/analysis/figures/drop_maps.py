"""Lost Dice as numbers on coloured cells: against joint training, and of pairs of scanners."""

import re
from collections.abc import Sequence
from itertools import product

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cl_seg.analysis.figures.labels import (
    extra_height,
    longest_line,
    name_columns,
    name_rows,
    thinned,
    wrapped,
)
from cl_seg.analysis.figures.panels import is_stream, networks_and_strategies
from cl_seg.analysis.figures.style import STYLE, colour_bar, with_caveats
from cl_seg.analysis.intervals import paired_runs
from cl_seg.analysis.many_scanners import MOST_SCANNERS, all_scanners, is_many
from cl_seg.analysis.pairs import DROPS, pair_drops, pair_matrix
from cl_seg.analysis.tables import runs_by_configuration
from cl_seg.records.results import RunResult


def joint_differences(results: Sequence[RunResult]) -> Figure | None:
    """Dice points below joint training on every scanner after the last stage, orders averaged.

    A panel per network that has joint training; a row per strategy, a column per scanner. None
    where no strategy has joint training of the same network beside it.
    """
    by_configuration = runs_by_configuration(results)
    models, strategies = networks_and_strategies(by_configuration)
    joint = {model: runs for (model, _), runs in by_configuration.items() if runs[0].is_joint}
    models = [model for model in models if model in joint]
    streams = [
        s for s in strategies if any(is_stream(by_configuration.get((m, s), ())) for m in models)
    ]
    if not streams:
        return None
    first = next(iter(joint.values()))[0]
    scanners = all_scanners([run for runs in joint.values() for run in runs])
    names = [first.short_names[s] for s in scanners]
    width = max(2.0, 0.55 * min(len(names), MOST_SCANNERS))
    with mpl.rc_context(STYLE):
        size = width * len(models) + 1.4, 0.28 * len(streams) + 1.5 + extra_height(names)
        figure = Figure(size, layout="constrained")
        grid = figure.subplots(1, len(models), squeeze=False, sharey=True)[0]
        for axes, model in zip(grid, models, strict=True):
            below = [
                _below_joint(by_configuration.get((model, strategy), ()), joint[model], scanners)
                for strategy in streams
            ]
            _drop_map(axes, 100 * np.array(below))
            axes.set_title(model, loc="left")
            name_columns(axes, range(len(names)), names)
            axes.set_yticks(range(len(streams)), streams)
        if is_many(len(names)):
            colour_bar(figure, grid, "Dice points")
        return with_caveats(figure, first.caveats)


def _below_joint(
    runs: Sequence[RunResult], joint: Sequence[RunResult], scanners: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Dice of joint training minus that of runs on every scanner, after the last stage of both.

    Of replicates, whose scanners differ, those that both have.
    """
    if runs and runs[0].replicate:
        runs, joint = paired_runs(runs, joint)
    return _last_dice(joint, scanners) - _last_dice(runs, scanners)


def _last_dice(runs: Sequence[RunResult], scanners: Sequence[str]) -> npt.NDArray[np.float64]:
    """Dice on every scanner after the last stage, mean over its runs; NaN without any."""
    if not is_stream(runs) and not (runs and runs[0].is_joint):
        return np.full(len(scanners), np.nan)
    last = [dict(zip(run.scanners, run.matrix()[-1], strict=True)) for run in runs]
    each = {name: [dice[name] for dice in last if name in dice] for name in scanners}
    return np.array([np.mean(dice) if dice else np.nan for dice in each.values()])


def pair_drop_maps(results: Sequence[RunResult]) -> Figure:
    """Drops of every ordered pair of scanners in Dice points, a panel per network and drop."""
    table = pair_drops(results)
    drops = [drop for drop in DROPS if table[drop].notna().any()]
    of_models = {
        f"{model} {strategy}": own
        for (model, strategy), own in table.groupby(["model", "strategy"], sort=False)
    }
    pairs = [list(dict.fromkeys(table[side])) for side in ("first", "second")]
    names = {k: v for result in results for k, v in result.record.scanner_names.items()}
    firsts, seconds = (
        [re.sub(r" \(simulated\)$", "", names[scanner]) for scanner in side] for side in pairs
    )
    with mpl.rc_context(STYLE):
        wide, high = (min(len(side), MOST_SCANNERS) for side in (seconds, firsts))
        width = max(2.2, 0.5 * wide) * len(drops) + 0.085 * longest_line(firsts) + 0.6
        height = (max(0.6, 0.32 * high) + 0.45) * len(of_models) + 0.6
        height += 0.085 * longest_line(seconds)
        figure = Figure((width, height), layout="constrained")
        size = len(of_models), len(drops)
        grid = figure.subplots(*size, squeeze=False, sharex=True, sharey=True)
        for axes, ((model, own), drop) in zip(
            grid.flat, product(of_models.items(), drops), strict=True
        ):
            values = pair_matrix(own, pairs[0], pairs[1], drop)
            _drop_map(axes, values)
            known = values[np.isfinite(values)]
            middle = f"median {np.median(known):.1f}" if known.size else "not measured"
            axes.set_title(f"{model} · {drop}, {middle}", loc="left")
            kept = thinned(len(seconds))
            axes.set_xticks(range(len(seconds))[kept], map(wrapped, seconds[kept]), rotation=90)
            name_rows(axes, firsts)
        figure.supylabel("first scanner", fontsize=9)
        figure.supxlabel("second scanner", fontsize=9)
        if is_many(len(seconds)):
            colour_bar(figure, grid, "Dice points")
        return with_caveats(figure, results[0].caveats)


def _drop_map(axes: Axes, values: npt.NDArray[np.float64]) -> None:
    axes.imshow(values, cmap="RdBu_r", vmin=-30, vmax=30, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value) and not is_many(values.shape[1]):
            axes.text(
                j, i, f"{value:.1f}", ha="center", va="center", fontsize=7.5,
                color="white" if abs(value) > 20 else "#222222", clip_on=True,
            )  # fmt: skip
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
