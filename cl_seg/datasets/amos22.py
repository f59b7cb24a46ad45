"""AMOS22: the CT images with labels, and a table that names their scanners.

Ji et al., "AMOS: A Large-Scale Abdominal Multi-Organ Benchmark for Versatile Medical Image
Segmentation", NeurIPS 2022. The table also holds dates of birth and of acquisition: they are not
kept.
"""

from pathlib import Path

from cl_seg.datasets.dataset import Case, DataSet, DatasetOptions
from cl_seg.datasets.scanner_names import scanner_names
from cl_seg.files.csv_file import read_table
from cl_seg.messages.errors import InputError
from cl_seg.scans.scanner.identity import ScannerHeader
from cl_seg.scans.series import RejectedFile
from cl_seg.scans.sources.files import similar_file

TABLE = "labeled_data_meta_0000_0599.csv"
_COLUMNS = ("amos_id", "Manufacturer", "Manufacturer's Model Name")
_HINT = "download it beside amos22.zip and put it into the folder that has imagesTr"
_FIRST_MRI = 500  # "id numbers less than 500 belong to CT data, otherwise they belong to MRI data"
LABELS = {"liver": (6,)}
OTHER_ORGANS = tuple(value for value in range(1, 16) if value != 6)
"""Spleen, kidneys, gall bladder, …, prostate or uterus."""


def read(folder: Path, options: DatasetOptions) -> DataSet:
    """The CT images of the training and validation folders, each a patient of its own.

    Raises:
        InputError: the table or the folders are missing.
    """
    images = [
        image
        for part in ("Tr", "Va")
        for image in sorted((folder / f"images{part}").glob("amos_*.nii.gz"))
    ]
    if not images:
        raise InputError(
            f"{folder} has no imagesTr/amos_NNNN.nii.gz: give the folder amos22 of the archive"
        )
    names, unknown = scanner_names(_acquisitions(folder / TABLE), options.aliases)
    cases: list[Case] = []
    left_out: list[RejectedFile] = []
    for image in images:
        number = _number(image)
        labels = image.parent.with_name(image.parent.name.replace("images", "labels")) / image.name
        if number >= _FIRST_MRI:
            left_out.append(RejectedFile(image, "magnetic resonance, not CT"))
        elif not labels.is_file():
            near = similar_file(labels, image.name.removesuffix(".nii.gz"))
            left_out.append(RejectedFile(image, f"it has no label file{near}"))
        elif str(number) not in names:
            none = f"{TABLE} names no manufacturer for it, or several"
            left_out.append(RejectedFile(image, unknown.get(str(number), none)))
        else:
            cases.append(Case(image, labels, f"amos_{number:04d}", names[str(number)]))
    return DataSet(cases, LABELS, background=OTHER_ORGANS, left_out=left_out)


def _acquisitions(table: Path) -> dict[str, ScannerHeader]:
    """Number of a CT image → scanner; numbers with rows that contradict each other are dropped."""
    found: dict[str, set[ScannerHeader]] = {}
    for row in read_table(table, _COLUMNS, hint=_HINT):
        # The makers of MRI scanners may be unknown to the alias table, and need not be known.
        if row["amos_id"].isdecimal() and int(row["amos_id"]) < _FIRST_MRI:
            manufacturer, model = row["Manufacturer"], row["Manufacturer's Model Name"]
            scanner_header = ScannerHeader(
                manufacturer, model, kvp=0
            )  # NaN would equal no other row
            found.setdefault(str(int(row["amos_id"])), set()).add(scanner_header)
    return {number: rows.pop() for number, rows in found.items() if len(rows) == 1}


def _number(image: Path) -> int:
    digits = image.name.removeprefix("amos_").removesuffix(".nii.gz")
    if not digits.isdecimal():
        raise InputError(f"{image}: expected a name like amos_0001.nii.gz: take it out of the set")
    return int(digits)
