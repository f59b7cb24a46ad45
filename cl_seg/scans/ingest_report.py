"""The outcome of an ingest, and notes that need all its scans at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cl_seg.messages.plural import counted
from cl_seg.scans.labels.label_map import LabelMap
from cl_seg.scans.labels.read import AIR_FRACTION_DOUBTED, AIR_HU
from cl_seg.scans.scanner.identity import NO_STATION, Scanner, ScannerHeader
from cl_seg.scans.scanner.image_kind import kind_note
from cl_seg.scans.series import RejectedFile, Scan
from cl_seg.scans.store import Grid


@dataclass(frozen=True)
class ScannerReport:
    """One scanner of the new store.

    Attributes:
        folder: folder name in the store.
        name: display name.
        cases: number of patients on this scanner.
        slices: number of slices.
        labelled: class name → number of slices labelled for it.
    """

    folder: str
    name: str
    cases: int
    slices: int
    labelled: dict[str, int]


@dataclass
class IngestReport:
    """The outcome of an ingest.

    Attributes:
        store: folder of the new store.
        scanners: one entry per scanner, in the order of the store.
        rejected: files and series left out, with the reason.
        notes: what the user should know: gaps, scanners with one patient, truncated bodies.
        paths: hash of every series in the store → where it was found; the store has no paths.
    """

    store: Path
    scanners: list[ScannerReport] = field(default_factory=list)
    rejected: list[RejectedFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)


Groups = Iterable[tuple[Scanner, list[Scan]]]


def image_kind_notes(groups: Groups) -> list[str]:
    """Notes of scanners whose images are no plain CT."""
    return [
        f"{name}: {kind_note(scanner.kind)}" for scanner, name in _names(groups) if scanner.kind
    ]


def unknown_station_notes(groups: Groups) -> list[str]:
    """Notes of scanners distinguished by station whose headers name none."""
    return [
        f"{name}: no StationName, so that several devices may be among them"
        for scanner, name in _names(groups)
        if scanner.station == NO_STATION
    ]


def split_voltage_notes(groups: Groups) -> list[str]:
    """Notes of devices that count as several scanners only because of their tube voltage."""
    voltages: dict[Scanner, set[int]] = defaultdict(set)
    for scanner, _ in groups:
        if scanner.kv:
            voltages[replace(scanner, kv=None)].add(scanner.kv)
    return [
        f"{scanner.make_and_model} is {len(found)} scanners by its tube voltages, "
        f"{', '.join(map(str, sorted(found)))} kV: a --scanner-by without kv makes it one"
        for scanner, found in voltages.items()
        if len(found) > 1
    ]


def _names(groups: Groups) -> list[tuple[Scanner, str]]:
    return [
        (scanner, scanner.display_name({scan.series.scanner_header.kernel for scan in scans}))
        for scanner, scans in groups
    ]


def split_scanner_notes(
    groups: Groups, identify: Callable[[ScannerHeader], Scanner | None]
) -> list[str]:
    """Notes of scanners that some rows name by hand and others leave to the header."""
    all_groups = list(groups)
    names = dict(_names(all_groups))
    notes = []
    for scanner, scans in all_groups:
        if not scanner.named_by_user:
            continue
        headers = [replace(scan.series.scanner_header, given_name="") for scan in scans]
        for header_scanner in dict.fromkeys(map(identify, headers)):
            if header_scanner is not None and header_scanner in names:
                notes.append(
                    f"{names[scanner]} (so called in the manifest) and {names[header_scanner]} are "
                    "one scanner by their headers: name it in all rows or in none, or it is two "
                    "experiences"
                )
    return notes


def absent_class_notes(label_map: LabelMap, seen: set[int]) -> list[str]:
    """Notes of classes that no pixel has, given the labels of the store that were seen."""
    return [
        f"no pixel is labelled {name} (value {', '.join(map(str, values))}): check --label"
        for label, (name, values) in enumerate(label_map.classes.items(), start=1)
        if label not in seen
    ]


def truncated_body_notes(truncated: Sequence[tuple[Path, int]], grid: Grid) -> list[str]:
    """Notes of truncated bodies.

    Args:
        truncated: path of each series with such slices, and how many they are.
        grid: of the store.
    """
    if not truncated:
        return []
    slices = counted(sum(count for _, count in truncated), "slice")
    series = counted(len(truncated), "series", "series")
    return [
        f"the body goes on beyond the image, or beyond the grid of {grid.size * grid.spacing_mm:g} "
        f"mm, in {slices} of {series}, first in {min(truncated)[0]}: their areas are marked as "
        "incomplete; where an image is larger than the grid, a larger --size keeps all of it"
    ]


def month_notes(scans: Sequence[Scan]) -> list[str]:
    """A note of how many months there are, where their ranks are kept."""
    ranks = {scan.series.month for scan in scans} - {None}
    if not ranks:
        return []
    kept = "the order of months is kept, no date and no time between them"
    return [f"scans of {counted(len(ranks), 'month')}: {kept}"]


def labels_in_air_notes(fractions: Mapping[str, Sequence[tuple[int, str, float]]]) -> list[str]:
    """Notes of classes that lie in air.

    Args:
        fractions: class name → line and name of scans, and the fraction of the class in air there.
    """
    notes = []
    for name, found in fractions.items():
        _, where, fraction = min(found)
        notes.append(
            f"more than {AIR_FRACTION_DOUBTED:.0%} of the pixels labelled {name} are air (below "
            f"{AIR_HU} HU) in {counted(len(found), 'scan')}, first in {where} ({fraction:.0%}): "
            f"unless {name} holds air, its labels may be mirrored or shifted"
        )
    return notes
