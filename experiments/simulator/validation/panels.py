"""Panels of the page about the scanners' physics: HU, dose, slices, and a row per scanner."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from experiments.simulator.validation.checks import Check, Curve, Law, curves
from experiments.simulator.validation.hu_laws import SAMPLES, sample_name
from experiments.simulator.validation.style import (
    BAND,
    BLUE,
    COLOURS,
    GREY,
    LIGHT,
    MARKERS,
    VERMILION,
    minus,
)

# Of the row of a scanner, which is 1 high and counted from the top.
ROW_HU = 40.0  # HU of water it is high
FOOT, HEIGHT = 0.35, 0.8  # of curves with a maximum of 1, below its middle
TARGET: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "markersize": 3.5}


def residuals(axes: Axes, checks: list[Check]) -> None:
    """HU of tissues minus theory at every tube voltage."""
    found = curves(checks, Law.HU)
    for i, (curve, colour, marker) in enumerate(zip(found, COLOURS, MARKERS, strict=False)):
        beside = 0.16 * (i - (len(found) - 1) / 2)
        residual = curve.measured - curve.theory
        axes.plot(curve.x + beside, residual, marker, color=colour, label=curve.label)
    tolerance = max(c.tolerance or 0 for c in checks)
    axes.axhspan(-tolerance, tolerance, color=BAND, zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    names = [sample_name(*sample).replace(", portal venous", "\n(PV)") for sample in SAMPLES]
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="HU − theory", ylim=(-1.7 * tolerance, 1.9 * tolerance))
    axes.legend(ncols=4, loc="upper center", handletextpad=0.1, columnspacing=1)


def root_law(axes: Axes, checks: list[Check]) -> None:
    """Noise over dose or slice thickness, both logarithmic."""
    curve = checks[0].curve
    assert curve is not None
    x = np.geomspace(curve.x[0], curve.x[-1], 50)
    theory = curve.measured[-1] * np.sqrt(curve.x[-1] / x)
    axes.loglog(x, theory, color=GREY, label="power −½")
    label = minus(f"fit {checks[-1].measured:.3f}")
    axes.loglog(curve.x, curve.measured, "o", color=BLUE, markersize=6, label=label)
    names = {"mAs": "dose (mAs)", "mm": "slice thickness (mm)"}
    axes.set(xlabel=names[curve.label], ylabel="noise (HU)")
    axes.margins(0.15)
    for axis, values in ((axes.xaxis, curve.x), (axes.yaxis, np.round(curve.measured, 1))):
        axis.set_major_locator(FixedLocator(values.tolist()))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(ScalarFormatter())
    axes.legend(loc="upper right")


def scanner_names(checks: list[Check]) -> list[str]:
    """Scanners the checks are about: realistic ones first."""
    laws = (Law.UNIFORMITY, Law.SHARPNESS, Law.SPECTRUM)
    names = {curve.label for law in laws for curve in curves(checks, law)}
    return sorted(names, key=lambda name: (_is_stress(name), name))


def _is_stress(name: str) -> bool:
    return name.startswith("stress_")


def colour_of(name: str) -> str:
    """Blue for realistic scanners, red for stress tests."""
    return VERMILION if _is_stress(name) else BLUE


def rows(subplots: Sequence[Axes], names: list[str]) -> None:
    """Panels that share a row per scanner, from top to bottom."""
    subplots[0].set(ylim=(len(names) - 0.05, -0.7), yticks=range(len(names)), yticklabels=names)
    for label, name in zip(subplots[0].get_yticklabels(), names, strict=True):
        label.set_color(colour_of(name))
    for axes in subplots:
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)


def key(figure: Figure, height: float) -> None:
    """The key to the lines and points of the rows, at a height of the figure."""
    handles: list[Artist] = [
        Line2D([], [], color=BLUE, label="realistic"),
        Line2D([], [], color=VERMILION, label="stress test"),
        Line2D([], [], color=LIGHT, linewidth=3, label="theory"),
        Line2D([], [], marker="o", **TARGET, label="kernel's ½ and ⅒"),
        Patch(color=BAND, label="± 5 HU"),
    ]
    figure.legend(handles=handles, loc="center", bbox_to_anchor=(0.5, height), ncols=len(handles))


def water(axes: Axes, checks: list[Check], names: list[str]) -> None:
    """Mean HU of rings in water; at the end of a row the largest difference from the centre."""
    for curve, row, own in _by_row(checks, Law.UNIFORMITY, names):
        axes.fill_between(curve.x, row - 5 / ROW_HU, row + 5 / ROW_HU, color=BAND, linewidth=0)
        axes.plot(curve.x, curve.theory + row, color=LIGHT, linewidth=0.8)
        axes.plot(curve.x, row - curve.measured / ROW_HU, color=colour_of(curve.label))
        axes.text(155, row, f"{own[0].measured:.1f}", va="center")
    axes.set(xlabel="distance from the middle (mm)", xlim=(0, 178), xticks=(0, 50, 100, 150))


def sharpness(axes: Axes, checks: list[Check], names: list[str]) -> None:
    """MTF; at the end of a row the frequencies at which it is ½ and ⅒."""
    for curve, row, own in _by_row(checks, Law.SHARPNESS, names):
        _curves(axes, curve, row, 1.0)
        targets = [check.expected for check in own]
        axes.plot(targets, [row + FOOT - HEIGHT * y for y in (0.5, 0.1)], "o", **TARGET)
        axes.text(1.03, row, "  ".join(f"{c.measured:.2f}" for c in own), va="center")
    axes.set(xlabel="spatial frequency (1/mm)", xlim=(0, 1.28), xticks=(0, 0.5, 1))


def noise_power(axes: Axes, checks: list[Check], names: list[str]) -> None:
    """Noise power relative to the peak of theory; at the end of a row the place of the peak."""
    for curve, row, own in _by_row(checks, Law.SPECTRUM, names):
        _curves(axes, curve, row, float(curve.theory.max()))
        axes.text(1.03, row, f"{own[1].measured:.2f}", va="center")
    axes.set(xlabel="spatial frequency (1/mm)", xlim=(0, 1.15), xticks=(0, 0.5, 1))


def _curves(axes: Axes, curve: Curve, row: int, top: float) -> None:
    seen = curve.x <= 1
    for values, look in (
        (curve.theory, {"color": LIGHT, "linewidth": 3}),
        (curve.measured, {"color": colour_of(curve.label)}),
    ):
        axes.plot(curve.x[seen], row + FOOT - HEIGHT / top * values[seen], **look)


def _by_row(
    checks: list[Check], law: Law, names: list[str]
) -> list[tuple[Curve, int, list[Check]]]:
    return [
        (curve, names.index(curve.label), [c for c in checks if c.law == law and c.curve is curve])
        for curve in curves(checks, law)
    ]
