"""Medical Segmentation Decathlon: a task's folder with ``dataset.json``, images and labels.

Antonelli et al., "The Medical Segmentation Decathlon", Nature Communications 2022.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

from cl_seg.datasets.dataset import DataSet, DatasetOptions
from cl_seg.datasets.dataset_json import check_ct, read_json, read_labels
from cl_seg.datasets.scanner_table import Pair, assign_scanners
from cl_seg.messages.errors import InputError
from cl_seg.scans.nifti import SUFFIXES

_HINT = "give the folder of a task, e.g. Task03_Liver"


def read(folder: Path, options: DatasetOptions) -> DataSet:
    """The training images of a CT task; the set names no scanners, ``options.scanners`` may.

    Raises:
        InputError: ``dataset.json`` is missing, malformed, or of another modality than CT.
    """
    file = folder / "dataset.json"
    content = read_json(file, hint=_HINT)
    modality = content.get("modality")
    if "channel_names" in content and not modality:
        raise InputError(
            f"{file} has channel_names in place of modality, as nnU-Net v2 has: use `cl-seg "
            "dataset nnunet`"
        )
    check_ct(modality, "modality", file)
    labels = read_labels(_inverted(content.get("labels"), file), file)
    training = content.get("training")
    if not isinstance(training, list):
        raise InputError(f"{file}: training: expected a list of entries with image and label")
    pairs = [_pair(entry, folder, file) for entry in training]
    cases, left_out, notes = assign_scanners(pairs, folder, options.scanners)
    return DataSet(
        *(cases, labels.values, labels.ignored, labels.background),
        left_out=left_out,
        notes=[*notes, *labels.notes],
    )


def _inverted(labels: Any, file: Path) -> dict[str, list[int]]:
    """Value → name, as the Decathlon has it, into name → values."""
    if not isinstance(labels, dict) or not all(str(value).isdecimal() for value in labels):
        raise InputError(f'{file}: labels: expected values with names, e.g. "1": "liver"')
    values: dict[str, list[int]] = defaultdict(list)
    for value, name in labels.items():
        values[str(name)].append(int(value))
    return values


def _pair(entry: Any, folder: Path, file: Path) -> Pair:
    if not isinstance(entry, dict) or not {"image", "label"} <= set(entry):
        raise InputError(f"{file}: training: expected entries with image and label")
    labels = folder / str(entry["label"])
    case = labels.name
    for suffix in SUFFIXES:
        case = case.removesuffix(suffix)
    return Pair(case, folder / str(entry["image"]), labels)
