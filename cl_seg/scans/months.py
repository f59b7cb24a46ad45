"""Months of scans as ranks within a store, so that no date is kept."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.scans.dicom.series import DicomSeries
from cl_seg.scans.series import Scan


def ranked_by_month(scans: Sequence[Scan], needed: bool) -> list[Scan]:
    """The scans with the rank of their month, from 0, in place of the number of the month itself.

    Ranks count the months in which scans were made: they tell the order of months and neither a
    date nor the time between two of them.

    Args:
        scans: of a store.
        needed: whether months were asked for; a manifest may give them unasked.

    Raises:
        InputError: a scan has no month where one is needed, or where others have one.
    """
    months = {scan.series.month for scan in scans if scan.series.month is not None}
    if not months and not needed:
        return list(scans)
    if lacking := sorted(_first_file(scan) for scan in scans if scan.series.month is None):
        more = f" and {counted(len(lacking) - 1, 'other')}" if len(lacking) > 1 else ""
        raise InputError(
            f"`months` (--months): no StudyDate can be read in {lacking[0]}{more}: leave such "
            "series out, or list all scans in a manifest with a column `month`"
        )
    rank = {month: number for number, month in enumerate(sorted(months))}
    return [
        replace(scan, series=replace(scan.series, month=rank[scan.series.month]))
        for scan in scans
        if scan.series.month is not None
    ]


def _first_file(scan: Scan) -> Path:
    series = scan.series
    return series.files[0] if isinstance(series, DicomSeries) else series.path
