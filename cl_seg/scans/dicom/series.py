"""Finds the CT series in a folder of DICOM files."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cl_seg.scans.dicom.header import ImageHeader, read_header
from cl_seg.scans.dicom.notes import header_notes
from cl_seg.scans.dicom.pixels import load_dicom_volume
from cl_seg.scans.geometry import check_series
from cl_seg.scans.scanner.identity import ScannerHeader
from cl_seg.scans.series import Pseudonyms, RejectedFile, Series, UnusableError

NO_PATIENT = "no PatientID: counted as a patient of its own"


@dataclass(frozen=True)
class DicomSeries(Series):
    """A series with the patient and series its headers name, whatever a manifest says.

    Attributes:
        header_patient_hash: salted hash of PatientID, "" when absent.
        series_uid_hash: salted hash of SeriesInstanceUID, "" when absent.
        sop_instance_hashes: salted hashes of SOPInstanceUIDs.
        files: of its images, in alphabetical order.
    """

    header_patient_hash: str = ""
    series_uid_hash: str = ""
    sop_instance_hashes: frozenset[str] = frozenset()
    files: tuple[Path, ...] = ()


def find_series(
    files: Iterable[Path], root: Path, pseudonyms: Pseudonyms, months: bool = False
) -> tuple[list[DicomSeries], list[RejectedFile]]:
    """Read the headers of ``files`` and put together the usable CT series.

    Args:
        files: candidate files, DICOM or not.
        root: folder they were found in; files without a series UID are grouped by folder below it.
        pseudonyms: hashes patient and series identifiers.
        months: whether the month of the study is read.

    Returns:
        Series sorted by patient and series hash, and what was left out, per file or series.
    """
    return series_of([try_header(file, root, pseudonyms, months) for file in files])


def try_header(
    file: Path, root: Path, pseudonyms: Pseudonyms, months: bool = False
) -> ImageHeader | RejectedFile:
    """The header of one file, or why it cannot be used."""
    try:
        return read_header(file, root, pseudonyms, months)
    except UnusableError as error:
        return RejectedFile(file, str(error))


def series_of(
    headers: Iterable[ImageHeader | RejectedFile],
) -> tuple[list[DicomSeries], list[RejectedFile]]:
    """Put together the usable series of some headers; see :func:`find_series`."""
    rejected: list[RejectedFile] = []
    # A series may hold kinds of image whose HU do not compare: each is a series of its own.
    groups: dict[tuple[str, str], list[ImageHeader]] = defaultdict(list)
    kinds: dict[str, set[str]] = defaultdict(set)
    for one in headers:
        if isinstance(one, RejectedFile):
            rejected.append(one)
        else:
            groups[one.series, one.scanner_header.kind].append(one)
            kinds[one.series].add(one.scanner_header.kind)
    found = []
    for (name, _), images in groups.items():
        try:
            series, copies = _assemble(images, kinds[name])
            found.append(series)
            rejected += copies
        except UnusableError as error:
            rejected.append(RejectedFile(images[0].path.parent, str(error), len(images)))
    return sorted(found, key=lambda s: (s.patient, s.name)), rejected


def _assemble(images: list[ImageHeader], kinds: set[str]) -> tuple[DicomSeries, list[RejectedFile]]:
    images, copies = _without_copies(images)
    check_series([image.plane for image in images], [image.path for image in images])
    first = images[0]
    if any(not _same_settings(image.scanner_header, first.scanner_header) for image in images):
        raise UnusableError("mixed scanners, kernels or tube voltages inside one series: split it")
    if len({image.patient for image in images}) > 1:
        raise UnusableError("several patients inside one series")
    unnamed = () if first.patient else (NO_PATIENT,)
    series = DicomSeries(
        first.path.parent,
        first.patient or first.series,
        first.series,
        first.scanner_header,
        len(images),
        first.thickness_mm,
        partial(load_dicom_volume, images),
        (*unnamed, *_several_kinds(kinds), *header_notes(images)),
        header_patient_hash=first.patient,
        series_uid_hash="" if first.lacks_series_uid else first.series,
        sop_instance_hashes=frozenset(
            image.sop_instance_hash for image in images if image.sop_instance_hash
        ),
        files=tuple(sorted(image.path for image in images)),
        month=min((i.month for i in images if i.month is not None), default=None),
    )
    return series, copies


def _several_kinds(kinds: set[str]) -> list[str]:
    if len(kinds) == 1:
        return []
    shown = ", ".join(kind or "plain CT" for kind in sorted(kinds))
    return [f"one series of the scanner holds several kinds of image, taken apart here: {shown}"]


def _same_settings(one: ScannerHeader, other: ScannerHeader) -> bool:
    # Compared as text: an unknown voltage (NaN) equals another unknown one.
    return repr(replace(one, station="")) == repr(replace(other, station=""))


def _without_copies(images: list[ImageHeader]) -> tuple[list[ImageHeader], list[RejectedFile]]:
    kept: list[ImageHeader] = []
    copies: list[RejectedFile] = []
    seen: dict[str, tuple[float, ...]] = {}
    for image in sorted(images, key=lambda i: (i.plane.position[2], i.path)):
        position = tuple(image.plane.position)
        if not image.sop_instance_hash or image.sop_instance_hash not in seen:
            kept.append(image)
        elif seen[image.sop_instance_hash] == position:
            copies.append(RejectedFile(image.path, "a second copy of another file"))
        else:
            raise UnusableError("images at several positions have one SOPInstanceUID")
        seen[image.sop_instance_hash] = position
    return kept, copies
