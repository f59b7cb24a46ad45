"""Names of scanners from the manufacturer, model and voltage a set's table or headers give."""

import math
from collections.abc import Mapping
from pathlib import Path

from cl_seg.scans.scanner.aliases import Aliases, unknown_manufacturer
from cl_seg.scans.scanner.identity import Scanner, ScannerHeader
from cl_seg.scans.scanner.image_kind import why_ambiguous
from cl_seg.scans.scanner.manufacturer import is_anonymised


def scanner_names(
    scanner_headers: Mapping[str, ScannerHeader], aliases: Path | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Name the scanner of each case as ingest would name it from DICOM headers.

    A name has manufacturer and model, then kernel class, kV and kind of image where they are known,
    e.g. "Siemens Sensation 64 medium 120 kV".

    Args:
        scanner_headers: case → what is known of its scanner.
        aliases: scanner aliases merged over those of the package.

    Returns:
        Case → name, without the cases whose manufacturer is not given; and case → what to do, of
        those whose manufacturer or kind of image is not known.
    """
    table = Aliases(aliases)
    scanners = {
        case: table.identify(scanner_header) for case, scanner_header in scanner_headers.items()
    }
    unknown = {
        case: unknown_manufacturer(scanner_headers[case])
        for case, scanner in scanners.items()
        if scanner is None and not is_anonymised(scanner_headers[case].manufacturer)
    }
    unknown |= {c: why for c, a in scanner_headers.items() if (why := why_ambiguous(a.kind))}
    known = {c: scanner for c, scanner in scanners.items() if scanner and c not in unknown}
    # Of several spellings of one device the first in the alphabet is used for all.
    devices: dict[str, str] = {}
    for scanner in sorted(known.values(), key=lambda s: s.make_and_model):
        devices.setdefault(scanner.key, scanner.make_and_model)
    return {
        case: _name(devices, one, scanner_headers[case]) for case, one in known.items()
    }, unknown


def _name(devices: Mapping[str, str], scanner: Scanner, scanner_header: ScannerHeader) -> str:
    kernel = scanner.kernel_class if scanner_header.kernel else ""
    voltage = f"{scanner.kv} kV" if scanner.kv else ""
    return " ".join(filter(None, (devices[scanner.key], kernel, voltage, scanner.kind)))


def kilovolts(text: str) -> float:
    """A tube voltage as a table gives it, NaN where it is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan
