"""Every law at once, and what they found as a table and as JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from cl_seg.phantom.profiles import profile_names
from cl_seg.phantom.validation import geometry_laws, hu_laws, noise_laws
from cl_seg.phantom.validation.checks import Check, Law
from cl_seg.phantom.validation.phantoms import REFERENCE


@dataclass(frozen=True)
class Summary:
    """What the checks of one law found.

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


def validate(
    quick: bool = False, on_progress: Callable[[int, int], None] | None = None
) -> list[Check]:
    """Measure every law on the simulated scanners; about 15 s on one core, quick ones 6 s.

    Args:
        quick: one scanner and tube voltage, two doses and two slices instead of all.
        on_progress: called with the number of laws done and of all laws.
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
        hu_laws.basis_fit,
        lambda: hu_laws.energy_groups(voltages),
        lambda: noise_laws.dose(currents),
        lambda: noise_laws.slice_thickness(slices),
        lambda: noise_laws.level(names),
        lambda: noise_laws.spectrum(names),
        lambda: geometry_laws.sharpness(names),
        geometry_laws.sinogram,
    ]
    checks: list[Check] = []
    for done, law in enumerate(laws, start=1):
        checks += law()
        if on_progress:
            on_progress(done, len(laws))
    return checks


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


def as_table(checks: Sequence[Check]) -> Table:
    """Every check as a table for the terminal."""
    table = Table("law", "case", "measured", "expected", "tolerance", "verdict", title="Simulated")
    colours = {True: "green", False: "bold red", None: "dim"}
    previous = None
    for check in checks:
        law = "" if check.law == previous else str(check.law)
        previous = check.law
        values = (f"{v:.4g} {check.unit}" for v in (check.measured, check.expected))
        word = f"[{colours[check.passed]}]{verdict(check)}[/]"
        table.add_row(law, check.case, *values, tolerated(check), word)
    return table


def tolerated(check: Check) -> str:
    """The tolerance for people: ± 2 HU, or ± 5 %."""
    if check.tolerance is None:
        return "–"
    if check.kind == "relative":
        return f"± {100 * check.tolerance:g} %"
    return f"± {check.tolerance:.2g} {check.unit}".rstrip()


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
            "passed": c.passed,
        }
        for c in checks
    ]
    passed = all(c.passed is not False for c in checks)
    return json.dumps({"kind": "simulated", "passed": passed, "checks": rows}, indent=1)
