"""Label files as people save them: NIfTI, or the .seg.nrrd of 3D Slicer."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.scans.labels.label_map import LabelMap, Others
from cl_seg.scans.labels.read import read_labels
from cl_seg.scans.series import Volume
from cl_seg.scans.store import UNLABELLED, Labels

_WHOLE_NUMBERS = {
    getattr(sitk, f"sitk{layers}{kind}Int{bits}")
    for layers in ("", "Vector")
    for kind in ("", "U")
    for bits in (8, 16, 32, 64)
}
_SAME_MM = 0.1  # headers may differ this much in rounding
_HINT = (
    "add --others background if all else is background, --others ignore if it shall count nowhere"
)


def read_segmentation(
    path: Path, image: Volume, classes: Sequence[str], where: str, others: Others = "error"
) -> Labels:
    """Labels of every slice of an image, on its pixels.

    Args:
        path: NIfTI with 0, the classes in order and 255 for unlabelled, in any orientation; or
            ``.seg.nrrd`` with segments named like the classes, ``background`` or ``ignore``.
        image: what it is of.
        classes: names of labels 1, 2, ….
        where: start of error messages.
        others: what values and segments of no such name are.

    Raises:
        InputError: unreadable, on another grid, with values or names that mean nothing here, or
            with classes that overlap: nothing says which has the pixel.
    """
    if path.name.endswith(".seg.nrrd"):
        return _read_nrrd(path, image, classes, where, others)
    values: dict[str, tuple[int, ...]] = {
        name: (label,) for label, name in enumerate(classes, start=1)
    }
    known = LabelMap(values, (UNLABELLED,), others=others)
    return read_labels(path, image, known, where, f"draw these classes alone, or {_HINT}")


def _read_nrrd(
    path: Path, image: Volume, classes: Sequence[str], where: str, others: Others
) -> Labels:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    where = f"{where}: {path}"
    try:
        reader.ReadImageInformation()
        names = _names(reader)
        _check_kind(reader, image, names, where)
        drawn = sitk.DICOMOrient(reader.Execute(), "LPS")
    except (RuntimeError, UnicodeError) as error:
        raise InputError(f"{where} cannot be read as NRRD: save it again") from error
    values = sitk.GetArrayFromImage(drawn)
    layers = values if values.ndim == 4 else values[..., None]
    first = _offset(drawn, image, where)
    inside = tuple(slice(start, start + n) for start, n in zip(first, layers.shape, strict=False))
    pixel_cm2 = image.spacing_mm[0] * image.spacing_mm[1] / 100
    labels = np.zeros(image.hu.shape, np.uint8)
    for layer in range(layers.shape[3]):
        of_layer = {number: name for (at, number), name in names.items() if at == layer}
        layer_labels = np.zeros(image.hu.shape, np.uint8)
        layer_labels[inside] = _classes_of(
            layers[..., layer], of_layer, classes, others, pixel_cm2, where
        )
        _check_overlap(labels, layer_labels, classes, pixel_cm2, where)
        labels = np.maximum(labels, layer_labels)
    return labels


def _classes_of(
    values: npt.NDArray[np.integer],
    names: Mapping[int, str],
    classes: Sequence[str],
    others: Others,
    pixel_cm2: float,
    where: str,
) -> Labels:
    meaning = {"background": 0, "ignore": UNLABELLED}
    rest = meaning.get(others)
    meaning |= {name.casefold(): label for label, name in enumerate(classes, start=1)}
    labels = np.zeros(values.shape, np.uint8)
    for number in map(int, np.unique(values)):
        name = names.get(number, "")
        label = meaning.get(name.casefold(), rest) if number else 0
        if label is None:
            raise InputError(
                f"{where} holds the segment {name or number!r} "
                f"({_size(values == number, pixel_cm2)}), expected segments named "
                f"{' and '.join(classes)}, background or ignore: rename it, or {_HINT}"
            )
        labels[values == number] = label
    return labels


def _check_overlap(
    one: Labels, other: Labels, classes: Sequence[str], pixel_cm2: float, where: str
) -> None:
    both = (one != 0) & (other != 0) & (one != other)
    if both.any():
        labels = np.unique([one[both], other[both]])
        names = ["ignore" if label == UNLABELLED else classes[label - 1] for label in labels]
        slices = np.flatnonzero(both.any(axis=(1, 2)))
        raise InputError(
            f"{where}: {' and '.join(names)} overlap ({_size(both, pixel_cm2)}, first slice "
            f"{slices[0]}), and nothing says which of them has these pixels: remove the overlap"
        )


def _size(mask: npt.NDArray[np.bool_], pixel_cm2: float) -> str:
    return (
        f"{mask.sum() * pixel_cm2:.3g} cm² on {counted(int(mask.any(axis=(1, 2)).sum()), 'slice')}"
    )


def _check_kind(
    reader: sitk.ImageFileReader, image: Volume, names: Mapping[tuple[int, int], str], where: str
) -> None:
    """Refuse what the header alone says is wrong, before memory is taken for it."""
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() > max(1, len(names)):
        raise InputError(
            f"{where} has {reader.GetDimension()} dimensions and {reader.GetNumberOfComponents()} "
            f"layers for {len(names)} segments: save it again as a segmentation"
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
    start = (np.array(drawn.GetOrigin()[::-1]) - origin) / distance
    first = np.rint(start).astype(int)
    last = first + drawn.GetSize()[::-1]
    straight = np.allclose(drawn.GetDirection(), np.eye(3).ravel(), atol=1e-3)
    size = np.array(drawn.GetSize()[::-1])
    stretched = (size - 1) * (np.array(drawn.GetSpacing()[::-1]) - distance)
    moved = (start - first) * distance
    placed = max(np.abs(moved).max(), np.abs(moved + stretched).max()) <= _SAME_MM
    if (drawn.GetSpacing(), drawn.GetOrigin()) == ((1.0,) * 3, (0.0,) * 3) and not placed:
        raise InputError(
            f"{where} has the identity matrix for a header, pixels of 1 mm at position 0, which is "
            "that of no image: save it again with the geometry of the image of the queue"
        )
    if not (straight and placed and (first >= 0).all() and (last <= image.hu.shape).all()):
        raise InputError(
            f"{where} is on another grid than its image: draw on the image of the queue itself, or "
            "resample the segmentation to it"
        )
    return [int(i) for i in first]


def _names(header: sitk.ImageFileReader) -> dict[tuple[int, int], str]:
    """Layer and value → name of the segments; "" where two names share them."""
    names: dict[tuple[int, int], str] = {}
    matches = (re.fullmatch(r"Segment(\d{1,4})_Name", key) for key in header.GetMetaDataKeys())
    numbers = [int(match[1]) for match in matches if match]
    layered = header.GetNumberOfComponents() > 1
    for number in numbers:
        # Without these entries, as 3D Slicer wrote until 2020, each segment is a layer of 0 and 1.
        layer = _entry(header, f"Segment{number}_Layer", number if layered else 0)
        value = _entry(header, f"Segment{number}_LabelValue", 1 if layered else -1)
        name = header.GetMetaData(f"Segment{number}_Name").strip()
        names[layer, value] = name if names.get((layer, value), name) == name else ""
    return names


def _entry(header: sitk.ImageFileReader, key: str, absent: int) -> int:
    text = header.GetMetaData(key).strip() if header.HasMetaDataKey(key) else ""
    return int(text) if text.isdecimal() else absent
