"""Turns CT scans on disk into a slice store, one scanner after the other."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from rich.progress import Progress, TaskID

from cl_seg.messages.errors import MAX_FAULTS_SHOWN, refuse
from cl_seg.messages.progress import progress_console
from cl_seg.runtime.workers import map_in_order
from cl_seg.scans.ingest_report import (
    IngestReport,
    ScannerReport,
    absent_class_notes,
    image_kind_notes,
    labels_in_air_notes,
    month_notes,
    split_scanner_notes,
    split_voltage_notes,
    truncated_body_notes,
    unknown_station_notes,
)
from cl_seg.scans.labels.label_map import DEFAULT_LABELS, LabelMap
from cl_seg.scans.months import ranked_by_month
from cl_seg.scans.scanner.aliases import Aliases, unknown_manufacturer
from cl_seg.scans.scanner.identity import DEFAULT_BY, Scanner, ScannerHeader
from cl_seg.scans.scanner.image_kind import why_ambiguous
from cl_seg.scans.scanner.manufacturer import is_anonymised
from cl_seg.scans.series import Pseudonyms, RejectedFile, Scan, by_folder
from cl_seg.scans.sources.find import (
    PARALLEL_FROM,
    find_scans_in_source,
    is_manifest,
    nothing_usable,
)
from cl_seg.scans.staging import CanonicalScan, Staging, read_scan
from cl_seg.scans.store import Grid, StoreWriter, create_store

Identify = Callable[[ScannerHeader], Scanner | None]
DEFAULT_GRID = Grid(320, 1.6)
"""320 × 320 pixels of 1.6 mm: 512 mm, as wide as the field of view of most scanners."""


@dataclass
class _Ingest:
    """State that the steps of one ingest share."""

    writer: StoreWriter
    label_map: LabelMap
    report: IngestReport
    progress: Progress
    task: TaskID
    labels_seen: set[int] = field(default_factory=set)
    in_air: dict[str, list[tuple[int, str, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    truncated: list[tuple[Path, int]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)


def write_store_from_scans(  # noqa: PLR0913 (keyword-only, each a plain choice of the user)
    source: Path | str,
    store: Path | str,
    *,
    labels: LabelMap | None = None,
    aliases: Path | None = None,
    grid: Grid = DEFAULT_GRID,
    salt: bytes | None = None,
    allow_implausible_hu: bool = False,
    scanner_by: Sequence[str] = DEFAULT_BY,
    derived: Literal["apart", "leave-out"] = "apart",
    months: bool = False,
    workers: int = 1,
    show_progress: bool = True,
) -> IngestReport:
    """Read CT scans and write a slice store, whole or not at all.

    Args:
        source: folder of DICOM files, searched with its subfolders, or a ``.csv`` manifest.
        store: folder to make.
        labels: meaning of label values; by default 1 muscle, 2 liver, 255 unlabelled.
        aliases: scanner aliases merged over those of the package.
        grid: canonical grid of every slice.
        salt: secret for the hashes of patients and series. Random by default and never stored;
            give the same one to get the same hashes, and the same content hash, again.
        allow_implausible_hu: take values that cannot be HU as they are; the provenance of the store
            then lists their series under ``implausible_hu``.
        scanner_by: header fields that tell scanners apart, of
            :data:`cl_seg.scans.scanner.identity.IDENTITY_FIELDS`.
        derived: whether images that are no plain CT, but have HU, are scanners of their own or are
            left out.
        months: keep the month of the date of every study, as its rank within the store alone; a
            manifest with a column `month` gives them itself.
        workers: processes that read side by side; the store is the same with any number.
        show_progress: show a progress bar.

    Returns:
        Scanners, rejected files with reasons, and notes.

    Raises:
        InputError: nothing usable, a wrong manifest, wrong label files (a line each), scans without
            a month where months are kept, or the store cannot be written. No store is left then.
    """
    source, label_map = Path(source), labels or DEFAULT_LABELS
    pseudonyms = Pseudonyms(secrets.token_bytes(16) if salt is None else salt)
    table = Aliases(aliases)
    report = IngestReport(Path(store))
    provenance = {
        "kind": "scans",
        "source": "manifest" if is_manifest(source) else "dicom",
        "labels": {name: list(values) for name, values in label_map.classes.items()},
        "ignored": list(label_map.ignored),
        "background": list(label_map.background),
        "others": label_map.others,
        "scanner_by": list(scanner_by),
        "derived": derived,
    }
    with create_store(Path(store), list(label_map.classes), grid, provenance) as writer:
        found = find_scans_in_source(
            source, list(label_map.classes), pseudonyms, show_progress, workers, months
        )
        report.rejected += found.rejected
        report.notes += found.notes
        identify = partial(table.identify, by=scanner_by)
        known, left_out = _known(found.scans, identify, derived)
        report.rejected += left_out
        ranked = ranked_by_month([scan for _, scan in known], months)
        known = [(scanner, scan) for (scanner, _), scan in zip(known, ranked, strict=True)]
        report.notes += month_notes(ranked)
        groups = _by_scanner(known)
        report.notes += split_scanner_notes(groups.values(), identify)
        for notes in (image_kind_notes, unknown_station_notes, split_voltage_notes):
            report.notes += notes(groups.values())
        if any("simulated" in scanner.make_and_model.casefold() for scanner, _ in groups.values()):
            # Exported simulations must not pass for patients when they come back.
            provenance["kind"] = "simulated"
        jobs = [(folder, scan) for folder, (_, scans) in groups.items() for scan in scans]
        reading = partial(
            read_scan,
            label_map=label_map,
            grid=grid,
            allow_implausible_hu=allow_implausible_hu,
        )
        every = [scan for _, scan in known]
        many = sum(scan.series.n_slices for scan in every) >= PARALLEL_FROM
        with (
            map_in_order(reading, jobs, workers if many else 1) as read,
            _progress(every, show_progress) as (progress, task),
        ):
            work = _Ingest(writer, label_map, report, progress, task)
            for folder, (scanner, scans) in groups.items():
                _write_scanner(work, folder, scanner, scans, read)
        _refuse(work)
        if not report.scanners:
            raise nothing_usable(source, report.rejected)
        report.rejected = by_folder(report.rejected)
        report.notes += truncated_body_notes(work.truncated, grid)
    if any(scan.labels for scan in every):
        report.notes += absent_class_notes(label_map, work.labels_seen) + labels_in_air_notes(
            work.in_air
        )
    return report


def _known(
    scans: list[Scan], identify: Identify, derived: str
) -> tuple[list[tuple[Scanner, Scan]], list[RejectedFile]]:
    """The scans whose scanner is known, with it, and those left out."""
    known: list[tuple[Scanner, Scan]] = []
    rejected: list[RejectedFile] = []
    unknown: dict[tuple[str, str], list[Scan]] = defaultdict(list)
    for scan in scans:
        series, scanner_header = scan.series, scan.series.scanner_header
        scanner = identify(scanner_header)
        if derived == "leave-out" and scanner_header.kind:
            reason = f"{scanner_header.kind}, which is no plain CT (--derived leave-out)"
            rejected.append(RejectedFile(series.path, reason, series.n_slices))
        elif not scanner_header.given_name and (reason := why_ambiguous(scanner_header.kind)):
            rejected.append(RejectedFile(series.path, reason, series.n_slices))
        elif scanner is not None:
            known.append((scanner, scan))
        elif is_anonymised(scanner_header.manufacturer):  # nothing says that these are of one maker
            rejected.append(
                RejectedFile(series.path, unknown_manufacturer(scanner_header), series.n_slices)
            )
        else:
            unknown[scanner_header.manufacturer, scanner_header.model].append(scan)
    for same in unknown.values():
        reason = unknown_manufacturer(same[0].series.scanner_header)
        first = min(scan.series.path for scan in same)
        more = f" ({len(same)} series, the first here)" if len(same) > 1 else ""
        slices = sum(scan.series.n_slices for scan in same)
        rejected.append(RejectedFile(first, f"{reason}{more}", slices))
    return known, sorted(rejected, key=lambda one: one.path)


def _by_scanner(known: list[tuple[Scanner, Scan]]) -> dict[str, tuple[Scanner, list[Scan]]]:
    """Folder name → scanner and its scans, sorted by folder name."""
    groups: dict[Scanner, list[Scan]] = defaultdict(list)
    # Of several spellings of one device the first in the alphabet is shown, whatever the order.
    for scanner, scan in sorted(known, key=lambda pair: pair[0].make_and_model):
        groups[scanner].append(scan)
    named: dict[str, tuple[Scanner, list[Scan]]] = {}
    for scanner in sorted(groups, key=lambda s: (s.folder_name, s.key, s.named_by_user, s.kind)):
        folder, number = scanner.folder_name, 2
        while folder in named:
            folder, number = f"{scanner.folder_name}-{number}", number + 1
        named[folder] = (scanner, groups[scanner])
    return named


@contextmanager
def _progress(scans: list[Scan], show: bool) -> Iterator[tuple[Progress, TaskID]]:
    with Progress(console=progress_console(), disable=not show) as progress:
        yield progress, progress.add_task("Ingesting", total=sum(s.series.n_slices for s in scans))


def _write_scanner(
    work: _Ingest, folder: str, scanner: Scanner, scans: list[Scan], read: Iterator[CanonicalScan]
) -> None:
    report = work.report
    kernels: set[str] = set()
    with Staging(work.writer.folder, work.writer.header.grid) as staging:
        for scan, canonical in zip(
            scans, read, strict=False
        ):  # `read` goes on with the next scanner
            work.progress.advance(work.task, scan.series.n_slices)
            if canonical.fault:
                work.faults.append((scan.line, canonical.fault))
            if len(work.faults) > MAX_FAULTS_SHOWN:
                _refuse(work)
            if work.faults:  # nothing will be kept: read on for faults of other label files
                continue
            report.rejected += canonical.rejected
            report.notes += canonical.notes
            for name, fraction in canonical.in_air.items():
                work.in_air[name].append((scan.line, scan.where, fraction))
            if truncated := sum(row.body_cut for row in canonical.rows):
                work.truncated.append((scan.series.path, truncated))
            staging.append(canonical)
            if canonical.implausible:
                taken = work.writer.header.provenance.setdefault("implausible_hu", [])
                taken.append(scan.series.name)
            if canonical.rows:
                kernels.add(scan.series.scanner_header.kernel)
                report.paths[scan.series.name] = scan.series.path
            for labels in canonical.labels:
                work.labels_seen.update(np.unique(labels).tolist())
        if staging.rows and not work.faults:
            name = scanner.display_name(kernels)
            work.writer.add_scanner(folder, name, staging.rows, *staging.arrays())
            _report_scanner(report, folder, name, staging)


def _refuse(work: _Ingest) -> None:
    refuse([fault for _, fault in sorted(work.faults)])


def _report_scanner(report: IngestReport, folder: str, name: str, staging: Staging) -> None:
    rows = staging.rows
    cases = len({row.case for row in rows})
    labelled = Counter(cls for row in rows for cls in row.labelled.split(",") if cls)
    report.scanners.append(ScannerReport(folder, name, cases, len(rows), dict(labelled)))
    if cases == 1:
        report.notes.append(
            f"{name} has one patient: it cannot be split into training and test patients"
        )
