"""The validation on one page: what every law measured, beside theory and patients."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from cl_seg.files.write import writable, write_bytes
from cl_seg.messages.errors import InputError
from experiments.simulator.validation import body_panels, panels
from experiments.simulator.validation.checks import Check, Law
from experiments.simulator.validation.run import SUMMARY_HEADER, Summary, summaries
from experiments.simulator.validation.style import A4, LIGHT, METADATA, STYLE, VERMILION

# Law, title and panel.
Row = tuple[tuple[Law, str, Callable[[Axes, list[Check]], None]], ...]
UPPER: Row = (
    (Law.HU, "HU of tissues in water", panels.residuals),
    (Law.DOSE, "Noise and dose", panels.root_law),
    (Law.SLICE, "Noise and slice", panels.root_law),
)
SCANNERS = (
    ("30 cm of water (HU)", panels.water),
    ("MTF of an edge: ½, ⅒", panels.sharpness),
    ("Noise power: its peak", panels.noise_power),
)
LOWER: Row = (
    (Law.COMPOSITION, "Areas of bodies", body_panels.areas),
    (Law.COMPOSITION, "Muscle over age", body_panels.muscle_over_age),
    (Law.ATTENUATION, "HU in bodies", body_panels.ranges),
)
# Places on the page: a solver's would differ in the last digit from run to run.
PLACES: dict[str, dict[str, Any]] = {
    "upper": {"left": 0.055, "right": 0.985, "bottom": 0.855, "top": 0.955, "wspace": 0.25,
              "width_ratios": (2.1, 1, 1)},
    "scanners": {"left": 0.165, "right": 0.985, "bottom": 0.502, "top": 0.802, "wspace": 0.06,
                 "width_ratios": (1.1, 1.25, 1.1)},
    "lower": {"left": 0.065, "right": 0.985, "bottom": 0.262, "top": 0.418, "wspace": 0.34,
              "width_ratios": (1.1, 1, 1)},
    "summary": {"left": 0.01, "right": 0.99, "bottom": 0.005, "top": 0.208},
}  # fmt: skip
KEY = 0.455  # height of the key of the scanners' rows


def write_page(checks: Sequence[Check], path: str | Path) -> None:
    """Draw the page, A4, and write it as its ending says.

    Args:
        checks: of ``run.validate``.
        path: .svg, .pdf or .png.

    Raises:
        InputError: another ending, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in METADATA:
        raise InputError(f"cannot draw {path}: its ending must be one of {', '.join(METADATA)}")
    figure, drawn = draw(list(checks)), io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(drawn, format=path.suffix[1:], dpi=200, metadata=METADATA[path.suffix])
    with writable(path):
        write_bytes(path, drawn.getvalue())


@mpl.rc_context(STYLE)
def draw(checks: list[Check]) -> Figure:
    """The page as a figure; a panel without measurements stays empty."""
    figure = Figure(A4)
    title = "Simulated CT scanners and bodies: measured against theory and patients"
    figure.suptitle(title, y=0.99, fontsize=11, weight="bold")
    letters = iter("abcdefghi")
    _row(_subplots(figure, "upper"), UPPER, checks, letters)
    _scanners(_subplots(figure, "scanners", sharey=True), checks, letters)
    panels.key(figure, KEY)
    _row(_subplots(figure, "lower"), LOWER, checks, letters)
    _summary(_subplots(figure, "summary")[0], summaries(checks))
    return figure


def _subplots(figure: Figure, place: str, sharey: bool = False) -> list[Axes]:
    columns = len(PLACES[place].get("width_ratios", [1]))
    grid = figure.add_gridspec(1, columns, **PLACES[place])
    made: Any = grid.subplots(sharey=sharey, squeeze=False)
    return list(made[0])


def _row(subplots: list[Axes], row: Row, checks: list[Check], letters: Iterator[str]) -> None:
    for axes, (law, title, panel) in zip(subplots, row, strict=True):
        axes.set_title(f"{next(letters)}  {title}")
        found = [c for c in checks if c.law == law]
        if found:
            panel(axes, found)
        else:
            axes.set_axis_off()


def _scanners(subplots: list[Axes], checks: list[Check], letters: Iterator[str]) -> None:
    names = panels.scanner_names(checks)
    for axes, (title, panel) in zip(subplots, SCANNERS, strict=True):
        axes.set_title(f"{next(letters)}  {title}")
        panel(axes, checks, names)
    panels.rows(subplots, names)


def _summary(axes: Axes, found: list[Summary]) -> None:
    axes.set_axis_off()
    axes.set_title("j  Every law and its worst case")
    rows = [summary.cells() for summary in found]
    table = axes.table(
        rows,
        colLabels=SUMMARY_HEADER,
        colWidths=(0.33, 0.085, 0.285, 0.11, 0.1, 0.09),
        cellLoc="left",
        colLoc="left",
        bbox=Bbox.unit(),
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    for (row, _), cell in table.get_celld().items():
        cell.set_edgecolor(LIGHT)
        cell.PAD = 0.01
        failed = row > 0 and found[row - 1].failed
        cell.get_text().set(weight="bold" if row == 0 or failed else "normal")
        if failed:
            cell.get_text().set_color(VERMILION)
