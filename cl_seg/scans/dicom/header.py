"""Reads the header of one DICOM file: only the fields named in ``_FIELDS`` are read at all.

The study date is read on request alone, and kept as the number of its month until that is a rank.
Identifiers of patients, series and stations are hashed at once; error texts name no identifier.
"""

import math
import re
import warnings
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from cl_seg.scans.geometry import Plane, check_plane
from cl_seg.scans.scanner.identity import ScannerHeader, plain
from cl_seg.scans.scanner.image_kind import image_kind
from cl_seg.scans.series import Pseudonyms, UnusableError

_IDENTIFIERS = ["PatientID", "SeriesInstanceUID", "SOPInstanceUID"]
_ENERGY = "MultienergyCTCharacteristicsSequence"  # holds MonoenergeticEnergyEquivalent
_FIELDS = [
    *("Modality", "Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "KVP"),
    *("ImageType", "SliceThickness", "ImagePositionPatient", "ImageOrientationPatient"),
    *("PixelSpacing", "Rows", "Columns", "GantryDetectorTilt", "NumberOfFrames"),
    *("SamplesPerPixel", "RescaleSlope", "RescaleIntercept", "RescaleType"),
    *("MultienergyCTAcquisition", "MonoenergeticEnergyEquivalent", _ENERGY, "StationName"),
    *_IDENTIFIERS,
]
_DATE = "StudyDate"  # read where its month is asked for
_MONTH = re.compile(r"(\d{4})\.?(0[1-9]|1[0-2])\.?\d{2}")  # of a date (DA), older ones with dots
_OTHER_MODALITIES = {
    *("CR", "DX", "DOC", "KO", "MG", "MR", "NM", "OT", "PR", "PT", "REG", "RF", "RTDOSE"),
    *("RTIMAGE", "RTPLAN", "RTSTRUCT", "SC", "SEG", "SR", "US", "XA"),
}
_LOCALIZERS = {"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM", "SCANOSCOPE"}
_HOUNSFIELD = {"", "HU", "US"}
"""Rescale types that are read: US is unspecified, which in CT means HU."""
_LONGEST = 64  # characters of a long string (LO, PS3.5 6.2)
_CODE = 16  # characters of a code string (CS)
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_HEAD = 1024  # bytes in which the transfer syntax is looked for
_PREAMBLE = 128  # bytes before the magic word (PS3.10 7.1)
_META = 12  # bytes of the element that says how long the file meta information is after it
_FIRST_VRS = (b"UL", b"CS", b"UI", b"OB", b"SH", b"LO", b"DA", b"TM")  # of first elements
_SYNTAXES = {
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}  # by whether value representations are implicit, and little endian
_INFLATED = 2**26  # bytes of the largest deflated file


@dataclass(frozen=True)
class ImageHeader:
    """Header of one CT image file.

    Attributes:
        path: the file.
        patient: salted hash of PatientID, "" when absent.
        series: salted hash of SeriesInstanceUID; of the file's folder where ``lacks_series_uid``.
        sop_instance_hash: salted hash of SOPInstanceUID, "" when absent; copies have the same one.
        scanner_header: the fields that name the scanner.
        plane: position and orientation.
        thickness_mm: SliceThickness in mm, NaN when absent.
        image_type: words of ImageType, in capitals.
        lacks_series_uid: whether SeriesInstanceUID is absent.
        multi_energy: whether MultienergyCTAcquisition says that several energies were measured.
        rescale: RescaleSlope and RescaleIntercept.
        month: months from the year 0 to StudyDate, None unless asked for or without a date. Never
            stored, see :mod:`cl_seg.scans.months`.
    """

    path: Path
    patient: str
    series: str
    sop_instance_hash: str
    scanner_header: ScannerHeader
    plane: Plane
    thickness_mm: float
    image_type: tuple[str, ...]
    lacks_series_uid: bool = False
    multi_energy: bool = False
    rescale: tuple[float, float] = (1.0, 0.0)
    month: int | None = field(default=None, repr=False)


def read_header(
    path: Path, root: Path, pseudonyms: Pseudonyms, months: bool = False
) -> ImageHeader:
    """Read the whitelisted header fields of one file, with ``months`` the month of its study too.

    Raises:
        UnusableError: not a readable axial CT image; the text names no header identifier.
    """
    header = read_fields(path, [*_FIELDS, _DATE] if months else _FIELDS)
    # pydicom converts values when they are asked for, and its warnings would show them.
    try:
        with pydicom.config.disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _check_kind(header)
            image = _parse(path, header, pseudonyms)
    except UnusableError:
        raise
    except Exception as error:
        raise UnusableError(
            "a header field cannot be read, or is not the number it should be"
        ) from error
    check_plane(image.plane)
    if not image.series:
        folder = printable_name(path.parent.relative_to(root).as_posix())
        image = replace(image, series=pseudonyms.series(f"folder {folder}"), lacks_series_uid=True)
    return image


def printable_name(name: str) -> str:
    """A file name as text that can be encoded, whatever its bytes are."""
    return name.encode("utf-8", "backslashreplace").decode()


def read_fields(path: Path, fields: list[str]) -> Any:
    """Read the named elements of a DICOM file and no others, as a pydicom dataset.

    Raises:
        UnusableError: not a DICOM file, or a damaged one.
    """
    # pydicom raises many types and puts file names and values into warnings: say it in our words.
    try:
        with pydicom.config.disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with path.open("rb") as opened:
                head = opened.read(_HEAD)
            start = _start(head)
            if _DEFLATED in head:
                _check_inflated(path, start + _META)
            file = pydicom.dcmread(
                path,
                specific_tags=list(fields),
                stop_before_pixels="PixelData" not in fields,
                force=start == 0,
            )
            if "TransferSyntaxUID" not in file.file_meta:
                file.file_meta.TransferSyntaxUID = _SYNTAXES[file.original_encoding]
            return file
    except UnusableError:
        raise
    except pydicom.errors.InvalidDicomError as error:
        raise UnusableError("not a DICOM file") from error
    except Exception as error:
        raise UnusableError("cannot be read: truncated or damaged DICOM file") from error


def _start(head: bytes) -> int:
    """Byte where the elements of a file begin: 0 in one without preamble and magic word.

    Such a file begins with an element of the file meta information or of group 0008.

    Raises:
        UnusableError: this is no DICOM file.
    """
    if head[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return _PREAMBLE + 4
    group, element, vr = head[:2], head[2:4], head[4:6]
    little = group in (b"\2\0", b"\x08\0") and element[1:] == b"\0"
    big = group == b"\0\x08" and element[:1] == b"\0"
    length = int.from_bytes(head[4:8], "little")
    implicit = little and length % 2 == 0 and length <= _PREAMBLE
    if len(head) < _PREAMBLE or not (implicit or ((little or big) and vr in _FIRST_VRS)):
        raise UnusableError("not a DICOM file")
    return 0


def _check_inflated(path: Path, meta: int) -> None:
    """Refuse a deflated file that would fill the memory: pydicom inflates it whole.

    Args:
        path: the file.
        meta: byte where its file meta information begins, less the length of that.
    """
    with path.open("rb") as file:
        file.seek(meta - 4)
        file.seek(meta + int.from_bytes(file.read(4), "little"))
        inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(), _INFLATED + 1)
    if len(inflated) > _INFLATED:
        raise UnusableError(f"deflated, and holds more than {_INFLATED} bytes: no CT image does")


def _check_kind(header: Any) -> None:
    if header.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        raise UnusableError("a DICOMDIR, which is not needed: files are found without it")
    modality = str(header.get("Modality") or "")
    if modality != "CT":
        # Anybody may have written anything there: only what is known is repeated.
        shown = modality if modality in _OTHER_MODALITIES else "missing or unknown"
        raise UnusableError(f"not a CT image (Modality {shown})")
    if _LOCALIZERS & set(_words(header, "ImageType")):
        raise UnusableError("a localizer, not an axial CT image")
    if not header.get("Rows") or not header.get("Columns"):
        raise UnusableError("holds no image (a report, or truncated)")
    if int(header.get("SamplesPerPixel") or 1) != 1:
        raise UnusableError("a colour picture (dose report or screen save), not CT values")
    if int(header.get("NumberOfFrames") or 1) != 1:
        raise UnusableError("enhanced multi-frame CT: convert it to one file per slice")
    needed = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleIntercept")
    missing = [name for name in needed if not _values(header, name)]
    if missing:
        raise UnusableError(
            f"the header lacks {', '.join(missing)}, without which areas or HU are unknown: "
            "export it again with a complete header"
        )
    slope, intercept = _rescale(header)
    if not slope or not math.isfinite(slope) or not math.isfinite(intercept):
        raise UnusableError("RescaleSlope or RescaleIntercept is not a sensible number")
    if str(header.get("RescaleType") or "").strip().upper() not in _HOUNSFIELD:
        raise UnusableError("RescaleType says that its values are not Hounsfield units")


def _rescale(header: Any) -> tuple[float, float]:
    return number(header, "RescaleSlope", 1.0), number(header, "RescaleIntercept", 0.0)


def _parse(path: Path, header: Any, pseudonyms: Pseudonyms) -> ImageHeader:
    patient, series, instance = (str(header.get(name) or "").strip() for name in _IDENTIFIERS)
    kvp, station = number(header, "KVP", math.nan), str(header.get("StationName") or "").strip()
    words = _words(header, "ImageType")
    return ImageHeader(
        path,
        pseudonyms.patient(patient) if patient else "",
        pseudonyms.series(series) if series else "",
        pseudonyms.series(instance) if instance else "",
        ScannerHeader(
            _text(header, "Manufacturer"),
            _text(header, "ManufacturerModelName"),
            _text(header, "ConvolutionKernel"),
            kvp,
            kind=image_kind(words, _energy_kev(header), kvp),
            station=pseudonyms.station(station) if station else "",
        ),
        Plane(
            tuple(float(v) for v in _values(header, "ImagePositionPatient")),
            tuple(float(v) for v in _values(header, "ImageOrientationPatient")),
            tuple(float(v) for v in _values(header, "PixelSpacing")),
            (int(header.Rows), int(header.Columns)),
            number(header, "GantryDetectorTilt", 0.0),
        ),
        number(header, "SliceThickness", math.nan),
        tuple(word[:_CODE] for word in words),
        multi_energy=str(header.get("MultienergyCTAcquisition") or "").strip().upper() == "YES",
        rescale=_rescale(header),
        month=_month(header),
    )


def _month(header: Any) -> int | None:
    found = _MONTH.fullmatch(str(header.get(_DATE) or "").strip())
    return 12 * int(found[1]) + int(found[2]) - 1 if found else None


def _energy_kev(header: Any) -> float:
    """Energy of a virtual monoenergetic image in keV (PS3.3 C.8.15.3.12), NaN when absent."""
    name = "MonoenergeticEnergyEquivalent"
    nested = header.get(_ENERGY) or []
    items = [header, *(item for item in nested if isinstance(item, pydicom.Dataset))]
    return next((number(item, name, math.nan) for item in items if _values(item, name)), math.nan)


def _text(header: Any, name: str) -> str:
    """First value of a text element, "" where there is none."""
    values = _values(header, name) or [""]
    return plain(str(values[0]))[:_LONGEST]


def _words(header: Any, name: str) -> tuple[str, ...]:
    """Words of all values of an element, in capitals; some vendors put several into one value."""
    return tuple(
        word
        for value in _values(header, name)
        for word in plain(str(value))[:_LONGEST].upper().split()
    )


def _values(header: Any, name: str) -> list[Any]:
    value = header.get(name)
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, pydicom.multival.MultiValue) else [value]


def number(header: Any, name: str, absent: float) -> float:
    """First value of a numeric element, or ``absent``."""
    values = _values(header, name)
    return float(values[0]) if values else absent
