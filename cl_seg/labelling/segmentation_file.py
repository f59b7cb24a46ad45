"""Label files as people save them: NIfTI, or the .seg.nrrd of 3D Slicer."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from cl_seg.files import InputError
from cl_seg.scans.label_map import LabelMap
from cl_seg.scans.labels import read_labels
from cl_seg.scans.series import Volume
from cl_seg.scans.store import UNLABELLED, Labels

_WHOLE_NUMBERS = {
    *(sitk.sitkUInt8, sitk.sitkInt8, sitk.sitkUInt16, sitk.sitkInt16, sitk.sitkUInt32),
    *(sitk.sitkInt32, sitk.sitkUInt64, sitk.sitkInt64),
}
_SAME_MM = 0.1  # headers may differ this much in rounding


def read_segmentation(path: Path, image: Volume, classes: Sequence[str], where: str) -> Labels:
    """Labels of every slice of an image, on its pixels.

    Args:
        path: NIfTI with 0, the classes in order and 255 for unlabelled, in any orientation; or
            ``.seg.nrrd`` with segments named like the classes.
        image: what it is of.
        classes: names of labels 1, 2, ….
        where: start of error messages.

    Raises:
        InputError: unreadable, on another grid, or with values or names that mean nothing here.
    """
    if path.name.endswith(".seg.nrrd"):
        return _read_nrrd(path, image, classes, where)
    values: dict[str, tuple[int, ...]] = {
        name: (label,) for label, name in enumerate(classes, start=1)
    }
    known = LabelMap(values, (UNLABELLED,), False)
    return read_labels(path, image, known, where, "draw these classes alone")


def _read_nrrd(path: Path, image: Volume, classes: Sequence[str], where: str) -> Labels:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        _check_kind(reader, image, f"{where}: {path}")
        drawn = reader.Execute()
        names = _names(drawn)
        drawn = sitk.DICOMOrient(drawn, "LPS")
    except (RuntimeError, UnicodeError) as error:
        raise InputError(f"{where}: {path} cannot be read as NRRD: save it again") from error
    values = sitk.GetArrayFromImage(drawn)
    labels = np.zeros(image.hu.shape, np.uint8)
    first = _offset(drawn, image, f"{where}: {path}")
    inside = tuple(slice(start, start + n) for start, n in zip(first, values.shape, strict=True))
    labels[inside] = _classes_of(values, names, classes, f"{where}: {path}")
    return labels


def _check_kind(reader: sitk.ImageFileReader, image: Volume, where: str) -> None:
    """Refuse what the header alone says is wrong, before memory is taken for it."""
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        raise InputError(
            f"{where} has overlapping segments (several layers): remove the overlap and save it "
            "again"
        )
    if reader.GetPixelID() not in _WHOLE_NUMBERS:
        raise InputError(f"{where} holds no whole numbers: save it as a segmentation")
    if math.prod(reader.GetSize()) > image.hu.size:
        raise InputError(f"{where} is larger than its image: draw on the image of the queue itself")


def _offset(drawn: sitk.Image, image: Volume, where: str) -> list[int]:
    """(z, y, x) index of the first voxel: viewers cut a segmentation to what is drawn."""
    step = np.diff(image.z_mm)
    distance = [float(np.median(step)) if len(step) else drawn.GetSpacing()[2], *image.spacing_mm]
    origin = np.array([image.z_mm[0], *image.origin_mm])
    here = (np.array(drawn.GetOrigin()[::-1]) - origin) / distance
    first = np.rint(here).astype(int)
    last = first + drawn.GetSize()[::-1]
    straight = np.allclose(drawn.GetDirection(), np.eye(3).ravel(), atol=1e-3)
    size = np.array(drawn.GetSize()[::-1])
    stretched = (size - 1) * (np.array(drawn.GetSpacing()[::-1]) - distance)
    moved = (here - first) * distance
    placed = max(np.abs(moved).max(), np.abs(moved + stretched).max()) <= _SAME_MM
    if not (straight and placed and (first >= 0).all() and (last <= image.hu.shape).all()):
        raise InputError(
            f"{where} is on another grid than its image: draw on the image of the queue itself, or "
            "resample the segmentation to it"
        )
    return [int(i) for i in first]


def _names(drawn: sitk.Image) -> dict[int, str]:
    """Value → name of the segments."""
    names = {}
    for key in drawn.GetMetaDataKeys():
        if match := re.fullmatch(r"Segment(\d+)_Name", key):
            value = f"Segment{match[1]}_LabelValue"
            number = drawn.GetMetaData(value) if drawn.HasMetaDataKey(value) else ""
            if number.strip().isdecimal():
                names[int(number)] = drawn.GetMetaData(key).strip()
    return names


def _classes_of(
    values: npt.NDArray[np.integer], names: Mapping[int, str], classes: Sequence[str], where: str
) -> Labels:
    labels = np.zeros(values.shape, np.uint8)
    known = {name.casefold(): label for label, name in enumerate(classes, start=1)}
    for number in map(int, np.unique(values)):
        name = names.get(number, "")
        if not number:
            continue
        if name.casefold() not in known:
            raise InputError(
                f"{where} holds the segment {name or number!r}, expected segments named "
                f"{' and '.join(classes)}: rename it"
            )
        labels[values == number] = known[name.casefold()]
    return labels
