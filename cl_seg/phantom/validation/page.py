"""The validation on one page: what every law measured, beside theory."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter
from matplotlib.transforms import Bbox

from cl_seg.files import InputError
from cl_seg.phantom.validation.checks import Check, Curve, Law, curves
from cl_seg.phantom.validation.hu_laws import SAMPLES, sample_name
from cl_seg.phantom.validation.run import Summary, summaries, tolerated

# Told apart by the colour-blind (Okabe & Ito 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#6b7280"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "svg.hashsalt": "cl_seg",
    "pdf.fonttype": 42,
}
# No dates: the same measurements are the same file.
METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
    ".png": {},
}


def write_page(checks: Sequence[Check], path: str | Path) -> None:
    """Draw the page, A4, and write it as its ending says.

    Args:
        checks: of ``run.validate``.
        path: .svg, .pdf or .png.

    Raises:
        InputError: another ending.
    """
    path = Path(path)
    if path.suffix not in METADATA:
        raise InputError(f"cannot draw {path}: its ending must be one of {', '.join(METADATA)}")
    with mpl.rc_context(STYLE):
        figure = draw(list(checks))
        figure.savefig(path, dpi=200, metadata=METADATA[path.suffix])


def draw(checks: list[Check]) -> Figure:
    """The page as a figure; a panel without measurements stays empty."""
    figure = Figure((8.27, 11.69), layout="constrained")
    figure.suptitle("Simulated CT scanners: measured against theory", fontsize=12, weight="bold")
    areas: Any = figure.subfigures(4, 1, height_ratios=[1, 0.9, 1, 1.25], hspace=0.02)
    panels = (
        (areas[0], ((Law.HU, _hu), (Law.UNIFORMITY, _water))),
        (areas[1], ((Law.DOSE, _root), (Law.SLICE, _root))),
        (areas[2], ((Law.SHARPNESS, _mtf), (Law.SPECTRUM, _noise_power))),
    )
    letters = iter("abcdef")
    for area, pair in panels:
        for axes, (law, panel) in zip(area.subplots(1, 2), pair, strict=True):
            axes.set_title(f"{next(letters)}  {law}")
            found = [c for c in checks if c.law == law]
            if found:
                panel(axes, found)
            else:
                axes.set_axis_off()
    _summary(areas[3].subplots(), summaries(checks))
    return figure


def _coloured(checks: list[Check], law: Law) -> list[tuple[Curve, str, str]]:
    return list(zip(curves(checks, law), cycle(COLOURS), cycle(MARKERS), strict=False))


def _hu(axes: Axes, checks: list[Check]) -> None:
    found = _coloured(checks, Law.HU)
    for i, (curve, colour, marker) in enumerate(found):
        beside = 0.16 * (i - (len(found) - 1) / 2)
        residual = curve.measured - curve.theory
        axes.plot(curve.x + beside, residual, marker, color=colour, label=curve.label)
    _band(axes, checks)
    names = [sample_name(*sample).replace(", ", " ").replace(" ", "\n") for sample in SAMPLES]
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("measured − theory (HU)")
    axes.legend(ncols=4, loc="upper center", handletextpad=0.1, columnspacing=1)


def _band(axes: Axes, checks: list[Check]) -> None:
    tolerance = max(c.tolerance or 0 for c in checks)
    axes.axhspan(-tolerance, tolerance, color="#f3f4f6", zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    axes.set_ylim(-1.7 * tolerance, 1.7 * tolerance)


def _water(axes: Axes, checks: list[Check]) -> None:
    for curve, colour, _ in _coloured(checks, Law.UNIFORMITY):
        axes.plot(curve.x, curve.measured, color=colour, label=curve.label)
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    axes.set(xlabel="distance from the middle of 30 cm of water (mm)", ylabel="mean HU")
    axes.margins(y=0.3)
    axes.legend(ncols=2, loc="upper center")


def _root(axes: Axes, checks: list[Check]) -> None:
    curve = checks[0].curve
    assert curve is not None
    exponent = checks[-1].measured
    x = np.geomspace(curve.x[0], curve.x[-1], 50)
    theory = curve.measured[-1] * np.sqrt(curve.x[-1] / x)
    axes.loglog(x, theory, color=GREY, label="power −½ through the last point")
    label = _minus(f"measured, fitted power {exponent:.3f}")
    axes.loglog(curve.x, curve.measured, "o", color=COLOURS[0], markersize=6, label=label)
    names = {"mAs": "dose (mAs)", "mm": "slice thickness (mm)"}
    axes.set(xlabel=names[curve.label], ylabel="noise in 30 cm of water (HU)")
    axes.margins(0.12)
    for axis, values in ((axes.xaxis, curve.x), (axes.yaxis, np.round(curve.measured, 1))):
        axis.set_major_locator(FixedLocator(values.tolist()))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(ScalarFormatter())
    axes.legend(loc="upper right")


def _mtf(axes: Axes, checks: list[Check]) -> None:
    for curve, colour, marker in _coloured(checks, Law.SHARPNESS):
        axes.plot(curve.x, curve.measured, color=colour, label=curve.label)
        targets = [c.expected for c in checks if c.curve is curve]
        axes.plot(targets, (0.5, 0.1), marker, color=colour, markeredgecolor="black", markersize=5)
    axes.plot([], [], "o", color="white", markeredgecolor="black", label="targets of the kernel")
    axes.set(xlabel="spatial frequency (1/mm)", ylabel="MTF", xlim=(0, 1), ylim=(0, None))
    axes.legend(loc="upper right")


def _noise_power(axes: Axes, checks: list[Check]) -> None:
    for curve, colour, marker in _coloured(checks, Law.SPECTRUM):
        top = curve.theory.max()
        axes.plot(curve.x, curve.theory / top, color=colour)
        axes.plot(curve.x, curve.measured / top, marker, color=colour, markersize=2.5)
    axes.plot([], [], color=GREY, label="theory")
    axes.plot([], [], "o", color=GREY, markersize=2.5, label="measured (colours as in e)")
    axes.set(xlabel="spatial frequency (1/mm)", ylabel="noise power / peak of theory")
    axes.set(xlim=(0, 1), ylim=(0, 1.35))
    axes.legend(loc="upper right")


def _summary(axes: Axes, found: list[Summary]) -> None:
    axes.set_axis_off()
    axes.set_title("g  Every law and its worst case")
    rows = [
        (
            str(s.law),
            f"{s.checks - s.failed} of {s.checks}",
            s.worst.case,
            _minus(f"{s.worst.measured:.4g} {s.worst.unit}"),
            _minus(f"{s.worst.expected:.4g} {s.worst.unit}"),
            tolerated(s.worst),
        )
        for s in found
    ]
    header = ("law", "passed", "worst case", "measured", "expected", "tolerance")
    widths = (0.34, 0.09, 0.25, 0.115, 0.115, 0.09)
    table = axes.table(
        rows,
        colLabels=header,
        colWidths=widths,
        cellLoc="left",
        colLoc="left",
        bbox=Bbox.unit(),
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    for (row, _), cell in table.get_celld().items():
        cell.set_edgecolor("#d1d5db")
        cell.PAD = 0.01
        failed = row > 0 and found[row - 1].failed
        cell.get_text().set(weight="bold" if row == 0 or failed else "normal")
        if failed:
            cell.get_text().set_color(COLOURS[1])


def _minus(text: str) -> str:
    return text.replace("-", "−")
