"""nnU-Net v2 raw: ``imagesTr/CASE_0000.nii.gz``, ``labelsTr/CASE.nii.gz`` and ``dataset.json``.

The format is that of nnU-Net's documentation, dataset_format.md and ignore_label.md.
"""

from pathlib import Path

from cl_seg.datasets.dataset import DataSet, DatasetOptions
from cl_seg.datasets.dataset_json import check_ct, read_json, read_labels
from cl_seg.datasets.scanner_table import Pair, assign_scanners
from cl_seg.messages.errors import InputError
from cl_seg.scans.nifti import SUFFIXES
from cl_seg.scans.series import RejectedFile

_HINT = "give a folder of nnUNet_raw, e.g. nnUNet_raw/Dataset001_Liver"


def read(folder: Path, options: DatasetOptions) -> DataSet:
    """The training images of a dataset; the set does not name scanners, ``options.scanners`` does.

    Raises:
        InputError: ``dataset.json`` is missing or says something other than one CT channel as
            NIfTI, or there are no images.
    """
    file = folder / "dataset.json"
    content = read_json(file, hint=_HINT)
    channels = content.get("channel_names")
    if not isinstance(channels, dict):
        raise InputError(
            f"{file} has no channel_names: nnU-Net v1 and the Medical Segmentation Decathlon have "
            "modality instead, try `cl-seg dataset msd`"
        )
    check_ct(channels, "channel_names", file)
    ending = str(content.get("file_ending", ""))
    if ending not in SUFFIXES:
        raise InputError(
            f"{file}: file_ending is {ending or 'missing'}, expected {' or '.join(SUFFIXES)}: "
            "convert the images to NIfTI"
        )
    labels = read_labels(content.get("labels"), file)
    suffix = f"_0000{ending}"
    images = sorted((folder / "imagesTr").glob("[!.]*"))  # archives made on a Mac hold ._ copies
    names = [i.name.removesuffix(suffix) for i in images if i.name.endswith(suffix)]
    misnamed = f"its name does not end in {suffix}, which an image with one channel has"
    pairs = [
        Pair(name, folder / f"imagesTr/{name}{suffix}", folder / f"labelsTr/{name}{ending}")
        for name in names
    ]
    cases, left_out, notes = assign_scanners(pairs, folder, options.scanners)
    left_out += [RejectedFile(i, misnamed) for i in images if not i.name.endswith(suffix)]
    return DataSet(
        cases,
        labels.values,
        labels.ignored,
        labels.background,
        sparse=bool(labels.ignored),
        left_out=left_out,
        notes=[*notes, *labels.notes],
    )
