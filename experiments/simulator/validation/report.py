"""The files of a validation: page, pictures, numbers, and a text that holds them together."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from cl_seg.files.write import writable, write_bytes, write_text
from cl_seg.phantom.profiles import Reconstruction, load_profile, profile_names
from experiments.simulator.validation.checks import Check, Law
from experiments.simulator.validation.gallery import gallery_png, pictures
from experiments.simulator.validation.page import write_page
from experiments.simulator.validation.run import (
    SUMMARY_HEADER,
    all_passed,
    as_json,
    summaries,
    values,
    verdict,
)

PACKAGES = ("cl_seg", "numpy", "scipy", "finufft", "matplotlib")
TEXT = """# Validation of the simulated scanners and bodies

Everything here is simulated; no patient was scanned. {verdict}

```
{command}
```

Made with {versions}.

![Every law, measured beside theory and patients](validation.svg)

![One body on every scanner](scanners.png)

## Every law and its worst case

{laws}

## Tissues on every scanner

Everything on: HU of each tissue inside the painted truth (median, mean over bodies); in brackets
what theory and the profile's own errors say.

{tissues}

## Bodies beside patients

A tolerance of – is information: nothing is demanded.

{patients}
"""


def write_report(checks: Sequence[Check], folder: Path, command: str) -> None:
    """Write validation.md, .json, .svg, .pdf and scanners.png; other files stay.

    Args:
        checks: of ``run.validate``.
        folder: made where it is missing.
        command: that was run.

    Raises:
        InputError: a file cannot be written.
    """
    names = sorted(profile_names(), key=lambda name: (load_profile(name).track, name))
    drawn = gallery_png(pictures(names))
    with writable(folder):
        write_bytes(folder / "scanners.png", drawn)
        write_text(folder / "validation.json", as_json(checks) + "\n")
        write_text(folder / "validation.md", as_markdown(checks, command))
    for ending in (".svg", ".pdf"):
        write_page(checks, folder / f"validation{ending}")


def as_markdown(checks: Sequence[Check], command: str) -> str:
    """The validation as a page of Markdown."""
    demanded = [check for check in checks if check.passed is not None]
    failed = sum(not check.passed for check in demanded)
    found = (
        f"All {len(demanded)} checks passed."
        if all_passed(checks)
        else f"**{failed} of {len(demanded)} checks failed.**"
    )
    patients = [
        (check.case, *values(check), verdict(check), check.source)
        for check in checks
        if check.source
    ]
    header = ("case", "measured", "expected", "tolerance", "verdict", "source")
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    return TEXT.format(
        verdict=found,
        command=command,
        versions=", ".join([f"Python {platform.python_version()}", *packages]),
        laws=_table(SUMMARY_HEADER, [summary.cells() for summary in summaries(checks)]),
        tissues=tissue_table(checks) or "Not measured.",
        patients=_table(header, patients) if patients else "Not measured.",
    )


def tissue_table(checks: Sequence[Check]) -> str:
    """HU of tissues, a row per scanner, as Markdown; empty where no body was scanned."""
    found = [check for check in checks if check.law == Law.IN_BODIES]
    cells: dict[str, list[str]] = {}
    for check in found:
        name = check.case.partition(", ")[0]
        cells.setdefault(name, []).append(f"{_whole(check.measured)} ({_whole(check.expected)})")
    tissues = dict.fromkeys(check.case.partition(", ")[2] for check in found)
    rows = [scanner_cells(name) + tuple(values) for name, values in cells.items()]
    return _table(("profile", "phase", "kV", "stated error", *tissues), rows) if rows else ""


def scanner_cells(name: str) -> tuple[str, ...]:
    """Name, phase, tube voltage and calibration errors of a profile, for people."""
    profile = load_profile(name)
    phase = profile.protocol.contrast.replace("_", " ")
    return f"`{name}`", phase, str(profile.tube.kvp), stated_error(profile.reconstruction)


def stated_error(settings: Reconstruction) -> str:
    """Calibration error of a scanner for people."""
    gain = f"× {settings.hu_gain:g}" if settings.hu_gain != 1 else ""
    offset = f"{_whole(settings.hu_offset, '+')} HU" if settings.hu_offset else ""
    return ", ".join(filter(None, (gain, offset))) or "none"


def _whole(hu: float, sign: str = "-") -> str:
    return f"{round(hu) + 0:{sign}d}".replace("-", "−")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
