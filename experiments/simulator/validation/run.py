"""Every law at once, and the checks as a table and as JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track
from rich.table import Table

from cl_seg.phantom.profiles import profile_names
from experiments.simulator.validation import (
    attenuation_laws,
    composition_laws,
    geometry_laws,
    hu_laws,
    in_body_laws,
    noise_laws,
)
from experiments.simulator.validation.checks import Check, Law
from experiments.simulator.validation.phantoms import REFERENCE

SUMMARY_HEADER = ("law", "passed", "worst case", "measured", "expected", "tolerance")


@dataclass(frozen=True)
class Summary:
    """The checks of one law in one line.

    Attributes:
        law: its name.
        checks: number of checks, those for information left out.
        failed: number of them that failed.
        worst: the check that came nearest to its tolerance, or went furthest beyond it.
    """

    law: Law
    checks: int
    failed: int
    worst: Check

    def cells(self) -> tuple[str, ...]:
        """Text for people, in the order of ``SUMMARY_HEADER``."""
        passed = f"{self.checks - self.failed} of {self.checks}"
        return (str(self.law), passed, self.worst.case, *values(self.worst))


def validate(quick: bool = False) -> list[Check]:
    """Measure every law on the simulated scanners and bodies.

    Args:
        quick: one scanner and tube voltage, two doses and two slices instead of all, and no
            bodies, since few of them say little about patients.
    """
    names = [REFERENCE] if quick else profile_names()
    voltages = (120,) if quick else hu_laws.VOLTAGES
    currents = (45.0, 180.0) if quick else noise_laws.CURRENTS
    slices = (1.0, 5.0) if quick else noise_laws.SLICES
    laws: list[Callable[[], list[Check]]] = [
        lambda: hu_laws.tissue_hu(voltages),
        lambda: hu_laws.water_hu(names),
        lambda: hu_laws.water_uniformity(names),
        hu_laws.wide_water,
        lambda: hu_laws.scatter_correction(names),
        hu_laws.basis_fit,
        lambda: hu_laws.energy_groups(voltages),
        lambda: noise_laws.dose(currents),
        lambda: noise_laws.slice_thickness(slices),
        lambda: noise_laws.level(names),
        lambda: noise_laws.spectrum(names),
        lambda: geometry_laws.sharpness(names),
        geometry_laws.sinogram,
    ]
    if not quick:
        laws += [
            lambda: composition_laws.body_areas(composition_laws.adults()),
            lambda: attenuation_laws.body_hu(attenuation_laws.scan_bodies()),
            lambda: in_body_laws.tissues_in_bodies(names),
        ]
    shown = track(laws, "Measuring", console=Console(stderr=True), transient=True)
    return [check for law in shown for check in law()]


def summaries(checks: Sequence[Check]) -> list[Summary]:
    """One line per law, in their order; laws without a demand are left out."""
    found = []
    for law in Law:
        demanded = [c for c in checks if c.law == law and c.tolerance]
        if demanded:
            failed = sum(not c.passed for c in demanded)
            worst = max(demanded, key=lambda c: abs(c.deviation) / (c.tolerance or 1))
            found.append(Summary(law, len(demanded), failed, worst))
    return found


def verdict(check: Check) -> str:
    """Pass, fail, or information only."""
    return {True: "pass", False: "FAIL", None: "–"}[check.passed]


def all_passed(checks: Sequence[Check]) -> bool:
    """Whether no check failed."""
    return all(check.passed is not False for check in checks)


def as_table(checks: Sequence[Check]) -> Table:
    """Every check as a table for the terminal."""
    header = ("law", "case", "measured", "expected", "tolerance", "verdict")
    table = Table(*header, title="Simulated", box=None)
    colours = {True: "green", False: "bold red", None: "dim"}
    previous = None
    for check in checks:
        law = "" if check.law == previous else str(check.law)
        previous = check.law
        word = f"[{colours[check.passed]}]{verdict(check)}[/]"
        table.add_row(law, check.case, *values(check), word)
    return table


def as_summary(checks: Sequence[Check]) -> Table:
    """A line per law with its worst case, as a table for the terminal."""
    table = Table(*SUMMARY_HEADER, title="Simulated", box=None)
    for found in summaries(checks):
        table.add_row(*found.cells(), style="bold red" if found.failed else None)
    return table


def values(check: Check) -> tuple[str, str, str]:
    """Measured, expected and tolerated, for people."""
    measured, expected = (
        f"{value:.4g} {check.unit}".rstrip().replace("-", "−")
        for value in (check.measured, check.expected)
    )
    return measured, expected, tolerated(check)


def tolerated(check: Check) -> str:
    """The tolerance for people: ± 2 HU, or ± 5 %."""
    if check.tolerance is None:
        return "–"
    if check.kind == "relative":
        return f"± {100 * check.tolerance:g} %"
    return f"± {check.tolerance:.4g} {check.unit}".rstrip()


def as_json(checks: Sequence[Check]) -> str:
    """Every check as JSON for machines, without the curves."""
    rows = [
        {
            "law": str(c.law),
            "case": c.case,
            "measured": c.measured,
            "expected": c.expected,
            "deviation": c.deviation,
            "tolerance": c.tolerance,
            "kind": c.kind,
            "unit": c.unit,
            "source": c.source,
            "passed": c.passed,
        }
        for c in checks
    ]
    verdict = {"kind": "simulated", "passed": all_passed(checks), "checks": rows}
    return json.dumps(verdict, indent=1)
