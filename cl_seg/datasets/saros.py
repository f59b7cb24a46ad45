"""SAROS: body regions on every fifth slice of CT from The Cancer Imaging Archive.

Koitka et al., "SAROS: A dataset for whole-body region and organ segmentation in CT imaging",
Scientific Data 2024.
"""

import secrets
from pathlib import Path

from cl_seg.datasets.dataset import Case, DataSet, DatasetOptions
from cl_seg.datasets.scanner_names import scanner_names
from cl_seg.messages.errors import InputError
from cl_seg.scans.dicom.header import ImageHeader, read_header
from cl_seg.scans.series import Pseudonyms, RejectedFile, UnusableError
from cl_seg.scans.sources.files import similar_file
from cl_seg.scans.store import UNLABELLED

LABELS = {"muscle": (2,)}
OTHER_REGIONS = tuple(value for value in range(1, 14) if value != 2)
"""Subcutaneous tissue, body cavities, bone, …, submandibular glands."""
_IMAGE, _REGIONS, _HEADER = "image.nii.gz", "body-regions.nii.gz", "meta_first.dcm"


def read(folder: Path, options: DatasetOptions) -> DataSet:
    """The downloaded cases, with the scanner of each series from its first DICOM file.

    Cases of one patient have one hashed PatientID and are named after the first of them, so no
    identifier is kept.

    Raises:
        InputError: there are no cases, or no headers.
    """
    folders = sorted(path for path in folder.glob("case_*") if path.is_dir())
    if not any((path / _HEADER).is_file() for path in folders):
        raise InputError(
            f"{folder} has no case_NNN/{_HEADER}: give the folder that download.py of "
            "saros-dataset filled, called with --save-meta-dicoms"
        )
    pseudonyms = Pseudonyms(secrets.token_bytes(16))
    left_out: list[RejectedFile] = []
    headers: dict[Path, ImageHeader] = {}
    for path in folders:
        try:
            headers[path] = _header(path, pseudonyms)
        except UnusableError as error:
            left_out.append(RejectedFile(path, str(error)))
    seen = {path.name: header.scanner_header for path, header in headers.items()}
    names, unknown = scanner_names(seen, options.aliases)
    patients: dict[str, str] = {}
    cases: list[Case] = []
    for path, header in headers.items():
        if path.name not in names:
            none = f"{_HEADER} names no manufacturer"
            left_out.append(RejectedFile(path, unknown.get(path.name, none)))
            continue
        patient = patients.setdefault(header.patient or path.name, path.name)
        cases.append(Case(path / _IMAGE, path / _REGIONS, patient, names[path.name]))
    return DataSet(cases, LABELS, (UNLABELLED,), OTHER_REGIONS, sparse=True, left_out=left_out)


def _header(path: Path, pseudonyms: Pseudonyms) -> ImageHeader:
    """The first DICOM file of a complete case."""
    for name in (_IMAGE, _REGIONS, _HEADER):
        if not (path / name).is_file():
            raise UnusableError(f"{name} is missing{similar_file(path / name)}")
    return read_header(path / _HEADER, path, pseudonyms)
