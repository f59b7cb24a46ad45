"""Slices with what is true and what was predicted drawn over them."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy import ndimage

from cl_seg.analysis.figures.labels import wrapped
from cl_seg.analysis.figures.style import STYLE, with_caveats
from cl_seg.records.results import RunResult

Plane = npt.NDArray[np.uint8]
Picture = npt.NDArray[np.float64]

CONTOURS = ("#ffd166", "#4cc9f0", "#f72585", "#80ed99")
COLOUR_NAMES = ("yellow", "blue", "pink", "green")
RANKS = ("worst", "median", "best")
STAGES = {"first": "first stage", "last": "last stage"}
MOMENTS = {"learned": "once learned", "last": "at the end"}
MIN_PANEL_PIXELS = 130  # width of a panel, about; contours are one of so many pixels wide
SHADES = 48  # of grey: with up to four classes a figure has no more than 256 colours
GAP = 3  # pixels between panels
PANEL = 1.7  # inches
WIDTH_OF_TITLE = 20  # characters that fit over a panel
FILL = 0.3  # opacity of the truth


def class_colours(run: RunResult) -> list[str]:
    """Colour of each class, in words."""
    return [f"{name} {COLOUR_NAMES[i % len(COLOUR_NAMES)]}" for i, name in enumerate(run.classes)]


def examples(
    runs: Sequence[RunResult], scanners: Sequence[str], moments: Mapping[str, str] = STAGES
) -> Figure:
    """A typical test slice of scanners, segmented after the first and after the last stage.

    ``moments`` are the titles of the two.

    One row per run. Filled: truth. Lines: prediction. A scanner that was not tested after the first
    stage is shown after the last alone.
    """
    columns = [
        (scanner, when)
        for scanner in scanners
        for when in moments
        if all(f"{scanner}/{when}" in run.examples for run in runs)
    ]
    rows = []
    for run in runs:
        shown = run.examples
        planes = [[shown[f"{s}/{name}"] for name in ("image", "truth", w)] for s, w in columns]
        rows.append([overlay(len(run.classes), *plane) for plane in planes])
    titles = [f"{_title(runs[0], scanner)}\n{moments[when]}" for scanner, when in columns]
    return _mosaic(
        rows, [f"{run.network}\n{run.strategy}" for run in runs], titles, runs[0].caveats
    )


def has_ranked(run: RunResult) -> bool:
    """True where a run kept its worst, median and best slices."""
    return any("/ranked/" in name for name in run.examples)


def ranked_examples(run: RunResult, scanners: Sequence[str]) -> Figure:
    """Worst, median and best test slice of scanners, once each is learned and at the end.

    At the end alone where scanners are learned together. Rows are ranks, by mean Dice over the
    classes of a slice, which is written in it. Filled: truth. Lines: prediction.
    """
    moments = ["last"] if run.is_joint or run.by_months else list(MOMENTS)
    columns = [(scanner, moment) for scanner in scanners for moment in moments]
    rows, dice = [], []
    for rank in range(len(RANKS)):
        slices = [run.examples[f"{s}/ranked/{moment}"][rank] for s, moment in columns]
        rows.append([overlay(len(run.classes), *planes) for planes in slices])
        dice.append([run.examples[f"{s}/ranked/{moment}/dice"][rank] for s, moment in columns])
    titles = [f"{_title(run, scanner)}\n{MOMENTS[moment]}" for scanner, moment in columns]
    return _mosaic(rows, list(RANKS), titles, run.caveats, dice)


def lowest_examples(run: RunResult, scanners: Sequence[str]) -> Figure:
    """The test slice of every scanner with the lowest Dice after the last stage, written in it.

    Filled: truth. Lines: prediction.
    """
    names = [f"{scanner}/ranked/last" for scanner in scanners]
    row = [overlay(len(run.classes), *run.examples[name][0]) for name in names]
    dice = [run.examples[f"{name}/dice"][0] for name in names]
    titles = [_title(run, scanner) for scanner in scanners]
    return _mosaic([row], [run.strategy], titles, run.caveats, [dice])


def _title(run: RunResult, scanner: str) -> str:
    return wrapped(run.short_names[scanner], WIDTH_OF_TITLE)


def overlay(classes: int, image: Plane, truth: Plane, found: Plane) -> Picture:
    """(H, W, 3) RGB in 0…1 of a slice, enlarged if small: truth filled, prediction outlined."""
    factor = max(1, round(MIN_PANEL_PIXELS / image.shape[1]))
    line = max(1, round(factor * image.shape[1] / MIN_PANEL_PIXELS))
    grey = np.rint(_enlarged(image / 255.0, factor) * (SHADES - 1)) / (SHADES - 1)
    picture = np.repeat(grey[..., None], 3, axis=2)
    for label in range(1, classes + 1):
        colour = np.array(to_rgb(CONTOURS[(label - 1) % len(CONTOURS)]))
        filled, area = (_enlarged(mask == label, factor) > 0.5 for mask in (truth, found))
        picture[filled] = (1 - FILL) * picture[filled] + FILL * colour
        picture[area & ~ndimage.binary_erosion(area, iterations=line)] = colour
    return picture


def _enlarged(plane: npt.NDArray[np.generic], factor: int) -> Picture:
    zoomed: Picture = ndimage.zoom(
        plane.astype(float), factor, order=1, grid_mode=True, mode="nearest"
    )
    return zoomed


def _mosaic(
    rows: Sequence[Sequence[Picture]],
    names: Sequence[str],
    titles: Sequence[str],
    caveats: Sequence[str],
    numbers: Sequence[Sequence[float]] = (),
) -> Figure:
    """Panels of one size as one picture, cut to what is not black in any, with their names."""
    inside = np.any([panel.any(axis=2) for row in rows for panel in row], axis=0)
    found = ndimage.find_objects(inside.astype(int))
    cut = found[0] if found else (slice(None), slice(None))
    panels = [[_framed(panel[cut]) for panel in row] for row in rows]
    picture = np.concatenate([np.concatenate(row, axis=1) for row in panels])[GAP:, GAP:]
    high, wide = (length + GAP for length in panels[0][0][GAP:, GAP:].shape[:2])
    with mpl.rc_context(STYLE):
        width = PANEL * len(titles)
        figure = Figure((width, width * picture.shape[0] / picture.shape[1]))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.imshow(picture, interpolation="none", aspect="auto")
        for column, title in enumerate(titles):
            axes.text((column + 0.5) * wide, -GAP, title, ha="center", va="bottom", fontsize=8.5)
        for row, name in enumerate(names):
            axes.text(
                -GAP, (row + 0.5) * high, name, ha="right", va="center", rotation=90, fontsize=9
            )
        for row, values in enumerate(numbers):
            for column, value in enumerate(values):
                at = (column + 1) * wide - 2 * GAP, (row + 1) * high - 2 * GAP
                axes.text(*at, f"{value:.2f}", ha="right", va="bottom", fontsize=8, color="white")
        return with_caveats(figure, caveats)


def _framed(panel: Picture) -> Picture:
    return np.pad(panel, ((GAP, 0), (GAP, 0), (0, 0)), constant_values=1.0)
