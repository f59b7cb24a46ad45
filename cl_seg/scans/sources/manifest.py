"""Reads a manifest: a CSV table that lists images, their labels, patients and scanners.

Columns::

    image    NIfTI file or DICOM folder, relative to the manifest
    labels   NIfTI label file on the grid of the image; empty for none
    patient  patient identifier (hashed); may be empty for DICOM, then the header's is taken
    scanner  scanner name; required for NIfTI, may be empty for DICOM, then the header's is taken
    classes  optional: classes the label file covers, separated by spaces; empty or absent for all
    slices   optional: ``labelled`` to leave out slices without labels; empty or absent for all
    month    optional: a whole number, larger for later months; for all images or for none
"""

from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import track

from cl_seg.files import csv_file
from cl_seg.messages.errors import InputError, refuse
from cl_seg.messages.progress import progress_console
from cl_seg.scans.dicom.series import NO_PATIENT, find_series
from cl_seg.scans.nifti import find_volume, is_nifti
from cl_seg.scans.scanner.identity import plain
from cl_seg.scans.series import FoundScans, Pseudonyms, RejectedFile, Scan, Series, UnusableError
from cl_seg.scans.sources.files import files_below, similar_file
from cl_seg.scans.sources.listed_twice import persons_named_twice, series_listed_twice

REQUIRED = ("image", "labels", "patient", "scanner")
OPTIONAL = ("classes", "slices", "month")
LABELLED = "labelled"


@dataclass(frozen=True)
class ManifestRow:
    """One row of a manifest, checked; ``where`` is the beginning of messages about it."""

    where: str
    line: int
    name: str
    image: Path
    labels: Path | None
    patient: str
    scanner: str
    classes: tuple[str, ...] | None
    labelled_only: bool
    month: int | None


def read_manifest(path: Path, classes: list[str]) -> list[ManifestRow]:
    """Read and check a manifest.

    Args:
        path: the CSV file.
        classes: class names of the label map.

    Raises:
        InputError: not a CSV file, wrong columns, missing files, or missing entries; a line each.
    """
    lines = csv_file.read_table(path, REQUIRED, optional=OPTIONAL, exact=True)
    if not lines:
        raise InputError(f"{path} lists no images: add a line per image")
    rows: list[ManifestRow] = []
    faults: list[str] = []
    seen: dict[Path, str] = {}
    for line in lines:
        try:
            row = _checked(line, classes)
        except InputError as error:
            faults.append(str(error))
            continue
        image = row.image.resolve()
        if image in seen:
            faults.append(f"{row.where}: {row.image} is listed already: {seen[image]}")
        seen.setdefault(image, row.where)
        rows.append(row)
    if any(row.month is not None for row in rows):
        lacking = [row.where for row in rows if row.month is None]
        faults += [
            f"{where}: month: is empty: give it for all images or for none" for where in lacking
        ]
    refuse(faults)
    return rows


def _checked(row: csv_file.Row, classes: list[str]) -> ManifestRow:
    covered = tuple(row["classes"].split()) or None
    unknown = [name for name in covered or () if name not in classes]
    if unknown:
        raise row.error("classes", f"{unknown[0]} is none of {', '.join(classes)}")
    slices = row["slices"]
    if slices not in ("", LABELLED) or (slices and not row["labels"]):
        raise row.error(
            "slices", f"expected {LABELLED}, for an image with labels, or nothing for all"
        )
    if not row["image"]:
        raise row.error("image", "is empty: expected a NIfTI file or a DICOM folder")
    image = _existing(row, "image")
    labels = _existing(row, "labels") if row["labels"] else None
    if labels and not (labels.is_file() and is_nifti(labels)):
        raise row.error("labels", f"{labels} is not a NIfTI file (.nii, .nii.gz)")
    if not image.is_dir():
        _check_volume(image, row)
    try:
        month = int(row["month"]) if row["month"] else None
    except ValueError:
        raise row.error("month", "expected a whole number, larger for later months") from None
    return ManifestRow(
        *(row.where, row.line, row["image"], image, labels),
        *(row["patient"], plain(row["scanner"]), covered, bool(slices), month),
    )


def _existing(row: csv_file.Row, column: str) -> Path:
    path = row.path.parent / row[column]
    try:
        found = path.exists()
    except OSError as error:  # a name longer than any file's
        raise row.error(column, f"{error.strerror}: {str(path)[:80]}…") from None
    if not found:
        raise row.error(column, f"{path} does not exist{similar_file(path)}")
    return path


def _check_volume(image: Path, row: csv_file.Row) -> None:
    if not (image.is_file() and is_nifti(image)):
        raise row.error(
            "image", f"{image} is neither a NIfTI file (.nii, .nii.gz) nor a DICOM folder"
        )
    for column in ("patient", "scanner"):
        if not row[column]:
            raise row.error(column, f"is empty: a NIfTI file does not name its {column}")


def find_scans_in_manifest(
    path: Path,
    classes: list[str],
    pseudonyms: Pseudonyms,
    show_progress: bool,
    months: bool = False,
) -> FoundScans:
    """The scans a manifest lists, with ``months`` those of DICOM with the month of their study.

    Raises:
        InputError: the manifest is wrong, labels belong to a folder of several series, or two rows
            hold one series; a line each.
    """
    scans: list[Scan] = []
    rejected: list[RejectedFile] = []
    faults: list[str] = []
    notes: list[str] = []
    rows = read_manifest(path, classes)
    console = progress_console()
    for row in track(rows, "Reading headers", console=console, disable=not show_progress):
        found, refused = _find(row, pseudonyms, notes, months and row.month is None)
        rejected += refused
        if row.labels and len(found) > 1:
            kinds = sorted({series.scanner_header.kind or "plain CT" for series in found})
            told = f" ({', '.join(kinds)})" if len(kinds) > 1 else ""
            faults.append(
                f"{row.where}: {row.image} holds {len(found)} CT series{told}, but labels belong "
                "to one: name a folder with one series"
            )
        scans += [
            Scan(series, row.labels, row.classes, row.where, row.labelled_only, row.line)
            for series in found
        ]
    refuse(faults + series_listed_twice(scans))
    scans.sort(key=lambda scan: (scan.series.patient, scan.series.name))
    return FoundScans(scans, rejected, notes + persons_named_twice(scans))


def _find(
    row: ManifestRow, pseudonyms: Pseudonyms, notes: list[str], months: bool
) -> tuple[list[Series], list[RejectedFile]]:
    patient = pseudonyms.patient(row.patient) if row.patient else ""
    if row.image.is_dir():
        files, closed = files_below(row.image)
        found, rejected = find_series(files, row.image, pseudonyms, months)
        persons = {series.patient for series in found if series.patient != series.name}
        if patient and len(persons) > 1:
            notes.append(
                f"{row.where}: {row.image} holds series of {len(persons)} PatientIDs: all count as "
                "the one patient that the row names"
            )
        return [_named(series, row, patient, pseudonyms) for series in found], closed + rejected
    try:
        name = pseudonyms.series(row.name)
        volume = find_volume(row.image, name, patient, row.scanner)
        return [replace(volume, month=row.month)], []
    except UnusableError as error:
        return [], [RejectedFile(row.image, str(error))]


def _named(series: Series, row: ManifestRow, patient: str, pseudonyms: Pseudonyms) -> Series:
    """A series with the patient, scanner and month of the manifest, which overrule the header."""
    scanner_header = replace(series.scanner_header, given_name=row.scanner)
    # The row is part of the name: nameless series of different rows must not meet.
    name = pseudonyms.series(f"{row.name} {series.name}")
    known = patient or ("" if series.patient == series.name else series.patient)
    notes = tuple(note for note in series.notes if not known or note != NO_PATIENT)
    month = series.month if row.month is None else row.month
    return replace(
        series,
        scanner_header=scanner_header,
        name=name,
        patient=known or name,
        notes=notes,
        month=month,
    )
