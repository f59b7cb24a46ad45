"""Panels of the page about bodies: their areas, and muscle over age."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from experiments.simulator.validation.checks import Check, Curve, Law, curves
from experiments.simulator.validation.composition_laws import AREAS, MUSCLE_HU_OF_WOMEN, SEXES
from experiments.simulator.validation.style import BAND, BLUE, GREEN, GREY, PURPLE, VERMILION

# Place in a row and colour.
PHASES = {"native": (-0.18, BLUE), "portal venous": (0.18, VERMILION)}
SHORT = {
    "subcutaneous fat": "SAT",
    "visceral fat": "VAT",
    "muscle, L3": "muscle",
    "liver, without steatosis": "lean liver",
}
SEX_COLOURS = dict(zip(SEXES, (GREEN, PURPLE), strict=True))


def areas(axes: Axes, checks: list[Check]) -> None:
    """Distributions of muscle and fat areas with the medians of patients."""
    found = {curve.label: curve for curve in curves(checks, Law.COMPOSITION)}
    for place, tissue in enumerate(AREAS):
        for sex, beside in zip(SEXES, (-0.21, 0.21), strict=True):
            curve = found.get(f"{tissue}, {sex}")
            if curve is not None:
                _violin(axes, curve, place + beside, SEX_COLOURS[sex])
    for sex, colour in SEX_COLOURS.items():
        axes.plot([], [], "s", color=colour, alpha=0.5, markersize=7, label=sex)
    axes.plot([], [], color="black", label="median")
    axes.plot([], [], "D", color="white", markeredgecolor="black", label="of patients")
    axes.set_xticks(range(len(AREAS)), [name.replace(" ", "\n") for name in AREAS])
    axes.set(ylabel="area at L3 (cm²)", ylim=(0, None), xlim=(-0.5, len(AREAS) - 0.5))
    axes.legend(loc="upper left", handletextpad=0.4, labelspacing=0.2)


def _violin(axes: Axes, curve: Curve, x: float, colour: str) -> None:
    drawn: dict[str, Any] = axes.violinplot(  # type: ignore[assignment]
        curve.measured, [x], widths=0.38, showextrema=False
    )
    drawn["bodies"][0].set(facecolor=colour, alpha=0.5, linewidth=0)
    median = float(np.median(curve.measured))
    axes.plot([x - 0.17, x + 0.17], [median, median], color="black")
    axes.plot(x, curve.theory[0], "D", color="white", markeredgecolor="black")


def muscle_over_age(axes: Axes, checks: list[Check]) -> None:
    """Muscle HU of every body over age, beside the means ± SD of women."""
    for sex, colour in SEX_COLOURS.items():
        for curve in curves(checks, Law.COMPOSITION):
            if curve.label == f"muscle HU, {sex}":
                axes.plot(curve.x, curve.measured, ".", color=colour, markersize=3, label=sex)
    age, mean, sd = np.array(MUSCLE_HU_OF_WOMEN).T
    axes.errorbar(age, mean, sd, fmt="D", color="black", markerfacecolor="white", linewidth=0.8,
                  label="women, cited ± SD")  # fmt: skip
    axes.set(xlabel="age (years)", ylabel="native muscle (HU)")
    axes.set_ylim(-8, 55)
    axes.legend(loc="lower left", handletextpad=0.2, labelspacing=0.2)


def ranges(axes: Axes, checks: list[Check]) -> None:
    """HU of tissues in bodies minus the middle of the range of patients, in both phases."""
    demanded = [c for c in checks if c.tolerance]
    names = list(dict.fromkeys(c.case.rpartition(", ")[0] for c in demanded))
    for check in demanded:
        name, _, phase = check.case.rpartition(", ")
        row, colour = names.index(name) + PHASES[phase][0], PHASES[phase][1]
        tolerance = check.tolerance or 0
        axes.barh(row, 2 * tolerance, 0.3, -tolerance, color=BAND, edgecolor=GREY, linewidth=0.5)
        axes.plot(check.deviation, row, "o", color=colour)
    for phase, (_, colour) in PHASES.items():
        axes.plot([], [], "o", color=colour, label=phase)
    axes.axvline(0, color=GREY, linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(names) - 0.4, -1.6), xlim=(-21, 21))
    axes.set_xlabel("HU − middle of patients' range")
    axes.legend(loc="upper center", ncols=2, handletextpad=0.1, columnspacing=1)


def _short(name: str) -> str:
    for long, short in SHORT.items():
        name = name.replace(long, short)
    return name
