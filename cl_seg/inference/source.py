"""Finds the CT series of a source, DICOM or NIfTI, for prediction."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cl_seg.messages.errors import InputError
from cl_seg.scans import nifti
from cl_seg.scans.dicom.header import printable_name
from cl_seg.scans.dicom.series import DicomSeries
from cl_seg.scans.series import FoundScans, Pseudonyms, RejectedFile, Scan, Series, UnusableError
from cl_seg.scans.sources.find import find_scans_in_source, nothing_usable

BESIDE_DICOM = "a NIfTI file beside DICOM files: give it, or a folder of such files, by itself"


def first_file(series: Series) -> Path:
    """The file a series is sorted by: its first image in alphabetical order."""
    return series.files[0] if isinstance(series, DicomSeries) else series.path


def find_series_for_prediction(source: Path, classes: list[str], salt: bytes) -> FoundScans:
    """The CT series of a source, and what is left out.

    Args:
        source: folder of DICOM files or of NIfTI files, ``.csv`` manifest, or one NIfTI file. Of a
            folder that holds both the NIfTI files, which may be labels, are left out.
        classes: of the models, which a manifest may name.
        salt: secret for the hashes of series.

    Raises:
        InputError: no such source, or nothing usable in it.
    """
    pseudonyms = Pseudonyms(salt)
    if source.is_file() and nifti.is_nifti(source):
        found = _volumes([source], source.parent, pseudonyms)
        if found.rejected:
            raise InputError(f"{source} {found.rejected[0].reason}")
        return found
    if not source.exists():
        raise InputError(
            f"{source.absolute()} does not exist: give a folder of DICOM or NIfTI files, a "
            "CSV manifest or a NIfTI file"
        )
    found = find_scans_in_source(source, classes, pseudonyms, show=False)
    files = [item for item in found.rejected if source.is_dir() and nifti.is_nifti(item.path)]
    others = [item for item in found.rejected if item not in files]
    if files and not found.scans:
        found = _volumes([item.path for item in files], source, pseudonyms)
        if not found.scans:
            first = found.rejected[0]
            raise InputError(
                f"{source} holds no NIfTI file that can be used, of {len(files)}: first "
                f"{first.path} {first.reason}"
            )
        return replace(found, rejected=others + found.rejected)
    if not found.scans:
        raise nothing_usable(source, found.rejected)
    beside = [replace(item, reason=BESIDE_DICOM) for item in files]
    return replace(found, rejected=others + beside)


def _volumes(files: Sequence[Path], root: Path, pseudonyms: Pseudonyms) -> FoundScans:
    """NIfTI files as a case each, and those that are none."""
    found = FoundScans([], [])
    for file in files:
        name = pseudonyms.series(printable_name(str(file.relative_to(root))))
        try:
            found.scans.append(Scan(nifti.find_volume(file, name, name, "")))
        except UnusableError as error:
            found.rejected.append(RejectedFile(file, str(error)))
    return found


def file_as_named(series: Series, source: Path) -> str:
    """Path of a NIfTI file relative to the source; "" for DICOM, whose hash is in ``series``.

    Of a file outside the source it is the name alone.
    """
    if isinstance(series, DicomSeries):
        return ""
    root = source if source.is_dir() else source.parent
    inside = series.path.is_relative_to(root)
    path = series.path.relative_to(root) if inside else Path(series.path.name)
    return printable_name(path.name if ".." in path.parts else path.as_posix())


def case_names(files: Sequence[str]) -> list[str]:
    """Names of cases: of NIfTI files without their endings, of others ``case-001`` and so on.

    Args:
        files: paths of NIfTI files, "" for others, see :func:`file_as_named`.

    Raises:
        InputError: two cases would have one name.
    """
    names = [
        re.sub(r"\.nii(\.gz)?$", "", file, flags=re.IGNORECASE) or f"case-{number:03d}"
        for number, file in enumerate(files, start=1)
    ]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(
            f"two files would be the case {twice[0]}: rename one, or predict them one by one"
        )
    return names
