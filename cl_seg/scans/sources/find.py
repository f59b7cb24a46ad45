"""Finds what a source holds: the CT series of a DICOM folder, or the scans of a manifest."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.progress import track

from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.messages.progress import progress_console
from cl_seg.runtime.workers import map_in_order
from cl_seg.scans.dicom.header import ImageHeader
from cl_seg.scans.dicom.series import series_of, try_header
from cl_seg.scans.nifti import is_nifti
from cl_seg.scans.series import FoundScans, Pseudonyms, RejectedFile, Scan
from cl_seg.scans.sources.files import files_below
from cl_seg.scans.sources.manifest import find_scans_in_manifest

PARALLEL_FROM = 500
"""Slices from which on it is faster to start processes than to read alone (engineering value)."""
CHUNK = 64  # headers a process reads at a time


def is_manifest(source: Path) -> bool:
    """Whether a source is read as a manifest."""
    return source.suffix.lower() == ".csv"


def find_scans_in_source(
    source: Path,
    classes: list[str],
    pseudonyms: Pseudonyms,
    show: bool,
    workers: int = 1,
    months: bool = False,
) -> FoundScans:
    """The scans of a source, and the files left out.

    Args:
        source: folder of DICOM files, or a ``.csv`` manifest.
        classes: class names of the label map.
        pseudonyms: hashes patients and series.
        show: show a progress bar.
        workers: processes that read headers side by side.
        months: whether the month of every study is read, where a manifest does not give it.

    Raises:
        InputError: no such source, or neither folder nor manifest, or a wrong manifest.
    """
    if not source.exists():
        raise InputError(
            f"{source.absolute()} does not exist: give a DICOM folder or a CSV manifest"
        )
    if is_manifest(source):
        return find_scans_in_manifest(source, classes, pseudonyms, show, months)
    if not source.is_dir():
        if source.name.upper() == "DICOMDIR":
            raise InputError(f"{source} is not needed: give the folder it is in, {source.parent}")
        hint = "NIfTI files do not name their scanner; " if is_nifti(source) else ""
        raise InputError(
            f"{source} is neither a DICOM folder nor a CSV manifest: {hint}list images in a "
            "manifest with the columns image,labels,patient,scanner"
        )
    files, closed = files_below(source)
    reading = partial(try_header, root=source, pseudonyms=pseudonyms, months=months)
    bar = partial(track, total=len(files), console=progress_console(), disable=not show)
    chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
    workers = workers if len(files) >= PARALLEL_FROM else 1
    with map_in_order(partial(_each, reading), chunks, workers) as read:
        headers = list(bar((one for chunk in read for one in chunk), "Reading headers"))
    series, rejected = series_of(headers)
    return FoundScans([Scan(one) for one in series], closed + rejected)


def _each(
    read: Callable[[Path], ImageHeader | RejectedFile], files: list[Path]
) -> list[ImageHeader | RejectedFile]:
    return [read(file) for file in files]


def nothing_usable(source: Path, rejected: list[RejectedFile]) -> InputError:
    """The error for a source of which nothing could be ingested, with the usual reasons."""
    if not rejected:
        return InputError(
            f"{source} is empty: expected DICOM files or a manifest that lists images"
        )
    counts: Counter[str] = Counter()
    for item in rejected:
        counts[item.reason] += item.files
    reasons = "; ".join(f"{count} × {reason}" for reason, count in counts.most_common(3))
    left = len(counts) - 3
    more = f"; and {counted(left, 'more reason')}" if left > 0 else ""
    hint = ""
    if not is_manifest(source) and any(is_nifti(item.path) for item in rejected):
        hint = (
            ": NIfTI files do not name their scanner, list them in a CSV manifest with the "
            "columns image,labels,patient,scanner"
        )
    return InputError(
        f"{source} holds no usable CT series ({reasons}{more}; first {rejected[0].path}){hint}"
    )
