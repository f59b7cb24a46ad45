"""TotalSegmentator CT v2: ``meta.csv``, ``sNNNN/ct.nii.gz`` and a mask file per structure.

Wasserthal et al., "TotalSegmentator: Robust Segmentation of 104 Anatomic Structures in CT Images",
Radiology: Artificial Intelligence 2023.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cl_seg.datasets.dataset import Case, DataSet, DatasetOptions
from cl_seg.datasets.masks import write_merged
from cl_seg.datasets.scanner_names import kilovolts, scanner_names
from cl_seg.files.csv_file import read_table
from cl_seg.messages.errors import InputError
from cl_seg.scans.scanner.identity import ScannerHeader
from cl_seg.scans.series import RejectedFile
from cl_seg.scans.sources.files import similar_file
from cl_seg.scans.store import UNLABELLED

_COLUMNS = ("image_id", "manufacturer", "scanner_model", "kvp")
_HINT = "give the unpacked folder of version 2, with meta.csv in it"
CLASSES: dict[str, tuple[str, ...]] = {
    # The set labels these ten muscles and no other: calling them "muscle" would make background
    # of the abdominal wall.
    "hip_back_muscle": tuple(
        f"{muscle}_{side}"
        for muscle in (
            *("autochthon", "iliopsoas"),
            *("gluteus_maximus", "gluteus_medius", "gluteus_minimus"),
        )
        for side in ("left", "right")
    ),
    "liver": ("liver",),
}
"""Classes by default, and the structures that make them."""


def read(folder: Path, options: DatasetOptions) -> DataSet:
    """The images ``meta.csv`` lists, each a patient of its own.

    A class is covered by a case when the masks of all its structures are there.

    Raises:
        InputError: ``meta.csv`` is missing or lacks a column, or no image has a mask of a structure
            that is asked for.
    """
    classes = options.classes or CLASSES
    rows = read_table(folder / "meta.csv", _COLUMNS, delimiters=";", hint=_HINT)
    listed = {row["image_id"]: _acquisition(row) for row in rows}
    contradicted = {row["image_id"] for row in rows if _differ(row, listed[row["image_id"]])}
    names, unknown = scanner_names(listed, options.aliases)
    _check_structures(folder, list(listed), classes, options.slices_of)
    cases: list[Case] = []
    left_out: list[RejectedFile] = []
    for case in listed:
        outcome = _case(folder / case, names.get(case, ""), classes, options.slices_of)
        if case in unknown:
            outcome = RejectedFile(folder / case / "ct.nii.gz", unknown[case])
        if case in contradicted:
            outcome = RejectedFile(
                folder / case / "ct.nii.gz", "rows of meta.csv for it contradict each other"
            )
        if isinstance(outcome, Case):
            cases.append(outcome)
        else:
            left_out.append(outcome)
    left_out += [
        RejectedFile(image, "meta.csv does not list it")
        for image in sorted(folder.glob("*/ct.nii.gz"))
        if image.parent.name not in listed
    ]
    values = {name: (value,) for value, name in enumerate(classes, start=1)}
    sparse = bool(options.slices_of)
    return DataSet(cases, values, (UNLABELLED,), sparse=sparse, left_out=left_out)


def _acquisition(row: Mapping[str, str]) -> ScannerHeader:
    model, kvp = row["scanner_model"], kilovolts(row["kvp"])
    return ScannerHeader(row["manufacturer"], model, kvp=kvp)


def _differ(row: Mapping[str, str], listed: ScannerHeader) -> bool:
    return repr(_acquisition(row)) != repr(listed)  # NaN is no other NaN


def _mask(folder: Path, structure: str) -> Path:
    return folder / "segmentations" / f"{structure}.nii.gz"


def _check_structures(
    folder: Path, cases: list[str], classes: Mapping[str, tuple[str, ...]], slices_of: str
) -> None:
    asked = [*(s for named in classes.values() for s in named), *([slices_of] if slices_of else [])]
    for structure in asked:
        if not any(_mask(folder / case, structure).is_file() for case in cases):
            raise InputError(
                f"{folder}: no image has segmentations/{structure}.nii.gz: structures are named "
                "like the files there, e.g. liver or vertebrae_L3"
            )


def _case(
    folder: Path, scanner: str, classes: Mapping[str, tuple[str, ...]], slices_of: str
) -> Case | RejectedFile:
    image = folder / "ct.nii.gz"
    files = {name: [_mask(folder, s) for s in named] for name, named in classes.items()}
    masks = {name: paths for name, paths in files.items() if all(p.is_file() for p in paths)}
    level = _mask(folder, slices_of) if slices_of else None
    if not image.is_file():
        return RejectedFile(image, f"the image is missing{similar_file(image)}")
    if not scanner:
        return RejectedFile(image, "meta.csv names no manufacturer for it")
    if not masks or (level and not level.is_file()):
        asked = [path for paths in files.values() for path in paths] + ([level] if level else [])
        near = next(filter(None, (similar_file(path) for path in asked if not path.is_file())), "")
        return RejectedFile(image, f"masks are missing{near}")
    writer = partial(write_merged, masks=masks, classes=list(classes), slices_of=level)
    covered = () if len(masks) == len(classes) else tuple(masks)
    return Case(image, writer, folder.name, scanner, covered)
