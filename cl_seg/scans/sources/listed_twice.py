"""Manifest rows that hold one series or one person under two names.

A split by patient goes by the names, so that the person would be in training and in test.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from cl_seg.scans.dicom.series import DicomSeries
from cl_seg.scans.series import Scan

_MAX_LINES_SHOWN = 5  # lines of a manifest that are listed


def series_listed_twice(scans: Iterable[Scan]) -> list[str]:
    """Faults of DICOM series that more than one row holds, wherever the files lie.

    Images of one series may be listed in parts, for one patient: that is how phases are split.
    """
    faults: list[str] = []
    before: dict[str, list[tuple[int, DicomSeries]]] = defaultdict(list)
    for scan in sorted(scans, key=lambda scan: scan.line):
        series = scan.series
        if not isinstance(series, DicomSeries):
            continue
        names = (
            [series.series_uid_hash]
            if series.series_uid_hash
            else sorted(series.sop_instance_hashes)
        )
        found = (_fault(series, *pair) for name in names for pair in before[name])
        if fault := next(filter(None, found), ""):
            faults.append(f"{scan.where}: {fault}")
        for name in names:
            before[name].append((scan.line, series))
    return faults


def _fault(series: DicomSeries, line: int, other: DicomSeries) -> str:
    """Conflict of a series with one of an earlier line, in words; "" for none."""
    where = f"line {line} ({other.path})"
    if series.sop_instance_hashes & other.sop_instance_hashes:
        return f"{series.path} holds images of {where} again: list every series once"
    if series.patient != other.patient:
        return (
            f"{series.path} holds a part of the series of {where}, which is of one person: give "
            "both lines the same patient"
        )
    return ""


def persons_named_twice(scans: Iterable[Scan]) -> list[str]:
    """Notes of rows with one PatientID in their headers that a manifest counts as several patients.

    Neither is shown: both may identify somebody.
    """
    rows: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        if isinstance(scan.series, DicomSeries) and scan.series.header_patient_hash:
            rows[scan.series.header_patient_hash].append(scan)
    notes = []
    for same in sorted(rows.values(), key=lambda same: min(scan.line for scan in same)):
        patients = {scan.series.patient for scan in same}
        if len(patients) > 1:
            notes.append(
                f"lines {_listed(sorted({scan.line for scan in same}))} of the manifest name "
                f"{len(patients)} patients, their headers say one: if so, give all the same "
                "patient, or one person may be in training and in test"
            )
    return notes


def _listed(lines: Sequence[int]) -> str:
    if len(lines) > _MAX_LINES_SHOWN:
        return (
            ", ".join(map(str, lines[:_MAX_LINES_SHOWN]))
            + f" and {len(lines) - _MAX_LINES_SHOWN} more"
        )
    return ", ".join(map(str, lines[:-1])) + f" and {lines[-1]}"
