"""Slices with what is true and what was predicted drawn over them."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import ndimage

from cl_seg.analysis.figures import STYLE, as_svg
from cl_seg.analysis.results import RunResult

Plane = npt.NDArray[np.uint8]

CONTOURS = ("#ffd166", "#4cc9f0", "#f72585", "#80ed99")
COLOUR_NAMES = ("yellow", "blue", "pink", "green")
RANKS = ("worst", "median", "best")
MOMENTS = {"learned": "once learned", "last": "at the end"}


def class_colours(run: RunResult) -> list[str]:
    """Which colour each class has."""
    return [f"{name} {COLOUR_NAMES[i % len(COLOUR_NAMES)]}" for i, name in enumerate(run.classes)]


def examples(runs: Sequence[RunResult]) -> str:
    """A typical test slice of every scanner, segmented after the first and after the last stage.

    One row per run. Filled: truth. Lines: prediction.
    """
    scanners = runs[0].order
    columns = [(scanner, when) for scanner in scanners for when in ("first", "last")]
    rows, wide = _body(runs[0].examples[f"{scanners[0]}/image"])
    shape = (rows.stop - rows.start) / (wide.stop - wide.start)
    with mpl.rc_context(STYLE):
        figure = Figure((1.7 * len(columns), 1.78 * len(runs) * shape + 0.5))
        grid = figure.subplots(len(runs), len(columns), squeeze=False)
        for row, run in zip(grid, runs, strict=True):
            for axes, (scanner, when) in zip(row, columns, strict=True):
                planes = (run.examples[f"{scanner}/{name}"] for name in ("image", "truth", when))
                _overlay(axes, len(run.classes), *planes)
            row[0].set_ylabel(f"{run.model}\n{run.strategy}")
        for axes, (scanner, when) in zip(grid[0], columns, strict=True):
            axes.set_title(f"{runs[0].short_names[scanner]}\n{when} stage", fontsize=8.5)
        figure.tight_layout(pad=0.4)
        return as_svg(figure, runs[0].stamps)


def has_ranked(run: RunResult) -> bool:
    """Whether a run kept its worst, median and best slices."""
    return any("/ranked/" in name for name in run.examples)


def ranked_examples(run: RunResult) -> str:
    """Worst, median and best test slice of every scanner, once it is learned and at the end.

    Rows are ranks, by mean Dice over the classes of a slice, which is written in it. Filled: truth.
    Lines: prediction.
    """
    columns = [(scanner, moment) for scanner in run.order for moment in MOMENTS]
    if run.joint:
        columns = [(scanner, "last") for scanner in run.order]
    rows, wide = _body(run.examples[f"{run.order[0]}/image"])
    shape = (rows.stop - rows.start) / (wide.stop - wide.start)
    with mpl.rc_context(STYLE):
        figure = Figure((1.7 * len(columns), 1.78 * len(RANKS) * shape + 0.5))
        grid = figure.subplots(len(RANKS), len(columns), squeeze=False)
        for column, (scanner, moment) in enumerate(columns):
            slices = run.examples[f"{scanner}/ranked/{moment}"]
            dice = run.examples[f"{scanner}/ranked/{moment}/dice"]
            for rank, planes in enumerate(slices):
                axes = grid[rank][column]
                _overlay(axes, len(run.classes), *planes)
                axes.text(
                    0.98, 0.03, f"{dice[rank]:.2f}", transform=axes.transAxes, ha="right",
                    fontsize=8, color="white",
                )  # fmt: skip
            title = f"{run.short_names[scanner]}\n{MOMENTS[moment]}"
            grid[0][column].set_title(title, fontsize=8.5)
        for rank, name in enumerate(RANKS):
            grid[rank][0].set_ylabel(name)
        figure.tight_layout(pad=0.4)
        return as_svg(figure, run.stamps)


def _overlay(axes: Axes, classes: int, image: Plane, truth: Plane, found: Plane) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    for label in range(1, classes + 1):
        colour = CONTOURS[(label - 1) % len(CONTOURS)]
        _outline(axes, truth == label, colour, filled=True)
        _outline(axes, found == label, colour, filled=False)
    rows, columns = _body(image)
    axes.set_ylim(rows.stop, rows.start - 1)
    axes.set_xlim(columns.start - 1, columns.stop)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_facecolor("black")


def _body(image: Plane) -> tuple[slice, slice]:
    """Rows and columns that are not all black; all of them when everything is."""
    inside = ndimage.find_objects((image > 0).astype(int))
    whole = tuple(slice(0, length) for length in image.shape)
    rows, columns = inside[0] if inside else whole
    return rows, columns


def _outline(axes: Axes, mask: Plane, colour: str, filled: bool) -> None:
    if not mask.any():
        return
    if filled:
        axes.contourf(mask.astype(float), levels=[0.5, 1.5], colors=[colour], alpha=0.3)
    else:
        axes.contour(mask.astype(float), levels=[0.5], colors=[colour], linewidths=1.1)
