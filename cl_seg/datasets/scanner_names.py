"""Names of scanners from the manufacturer, model and voltage a set's table or headers give."""

import math
from collections.abc import Mapping
from pathlib import Path

from cl_seg.scans.aliases import Aliases, unknown_manufacturer
from cl_seg.scans.identity import Acquisition
from cl_seg.scans.manufacturer import is_nobody


def scanner_names(
    acquisitions: Mapping[str, Acquisition], aliases: Path | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Name the scanner of each case as ingest would name it from DICOM headers.

    A name has manufacturer and model, then kernel class, kV and kind of image where they are known,
    e.g. "Siemens Sensation 64 medium 120 kV".

    Args:
        acquisitions: case → what is known of its scanner.
        aliases: scanner aliases merged over those of the package.

    Returns:
        Case → name, without the cases whose manufacturer is not given; and case → what to do, of
        those whose manufacturer the alias table does not know.
    """
    table = Aliases(aliases)
    scanners = {case: table.identify(acquisition) for case, acquisition in acquisitions.items()}
    unknown = {
        case: unknown_manufacturer(acquisitions[case])
        for case, scanner in scanners.items()
        if scanner is None and not is_nobody(acquisitions[case].manufacturer)
    }
    known = {case: scanner for case, scanner in scanners.items() if scanner is not None}
    # Of several spellings of one device the first in the alphabet is used for all.
    devices: dict[str, str] = {}
    for scanner in sorted(known.values(), key=lambda s: s.device):
        devices.setdefault(scanner.key, scanner.device)
    names = {
        case: " ".join(
            [
                devices[scanner.key],
                *(
                    [scanner.kernel_class]
                    if scanner.kernel_class and acquisitions[case].kernel
                    else []
                ),
                *([f"{scanner.kv} kV"] if scanner.kv else []),
                *([scanner.kind] if scanner.kind else []),
            ]
        )
        for case, scanner in known.items()
    }
    return names, unknown


def kilovolts(text: str) -> float:
    """A tube voltage as a table gives it, NaN where it is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan
