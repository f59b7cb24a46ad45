"""DICOM segmentation objects (SEG): which series they are of, and their masks on its pixels.

DICOM PS3.3 A.51 and C.8.20.2: binary and fractional ones have a frame per slice and segment, label
maps (A.91) one per slice, whose pixels hold the number of their segment.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom

from cl_seg.datasets.overlap import ClassOverlapAreas, Mask, merge_masks
from cl_seg.scans.dicom.header import read_fields
from cl_seg.scans.geometry import Plane, check_plane, corners_mm, to_lps
from cl_seg.scans.series import Pseudonyms, UnusableError, Volume
from cl_seg.scans.store import Labels

_SAME_MM = 0.1  # headers may differ this much in rounding
_INSIDE = 0.5  # share of MaximumFractionalValue from which on a pixel is inside
_BINARY, _FRACTIONAL, _LABELMAP = "BINARY", "FRACTIONAL", "LABELMAP"
_HEADER = [
    *("Modality", "SegmentationType", "SegmentSequence", "ReferencedSeriesSequence"),
    "MaximumFractionalValue",
]
_PIXELS = [
    *("Rows", "Columns", "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit", "PixelData"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PixelRepresentation", "PixelPaddingValue"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *_HEADER,
]


@dataclass(frozen=True)
class SegmentationObject:
    """Header of a segmentation.

    Attributes:
        path: the file.
        series: salted hash of the series it is of.
        segments: segment number → SegmentLabel.
        fractional: whether its pixels are shares or probabilities of a segment.
        fault: why its pixels cannot be read, "" for nothing.
    """

    path: Path
    series: str
    segments: dict[int, str]
    fractional: bool = False
    fault: str = ""


def read_segments(path: Path, pseudonyms: Pseudonyms) -> SegmentationObject | None:
    """Read the header of a segmentation; None for any other file.

    Raises:
        UnusableError: a segmentation that does not say of what it is.
    """
    try:
        header = read_fields(path, _HEADER)
    except UnusableError:
        return None
    if header.get("Modality") != "SEG":
        return None
    try:
        uid = str(header.ReferencedSeriesSequence[0].SeriesInstanceUID)
        segments = {int(s.SegmentNumber): str(s.SegmentLabel) for s in header.SegmentSequence}
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise UnusableError("it does not say of which series it is, or its segments") from error
    kind = str(header.get("SegmentationType") or "missing")
    fault = ""
    if kind not in {_BINARY, _FRACTIONAL, _LABELMAP}:
        fault = f"SegmentationType is {kind}, expected {_BINARY}, {_FRACTIONAL} or {_LABELMAP}"
    elif kind == _FRACTIONAL and not header.get("MaximumFractionalValue"):
        fault = f"SegmentationType is {kind}, but MaximumFractionalValue is missing"
    series = pseudonyms.series(uid)
    return SegmentationObject(path, series, segments, kind == _FRACTIONAL, fault)


def read_masks(
    path: Path, classes: Mapping[str, Sequence[int]], volume: Volume
) -> tuple[Labels, ClassOverlapAreas]:
    """Labels of a series from the segments of a segmentation of it.

    Of a fractional one the pixels of half of MaximumFractionalValue or more are inside.

    Args:
        path: the file.
        classes: class → numbers of its segments, the classes being labels 1, 2, … in order; where
            they overlap the first has the pixel. Other segments are background.
        volume: the series.

    Returns:
        (N, H, W) uint8, one slice per slice of the series, slices without a frame being
        background; and what overlaps.

    Raises:
        UnusableError: damaged, or a frame lies on no slice of the series.
    """
    try:
        with pydicom.config.disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = read_fields(path, _PIXELS)
            frames = [
                (name, *_placed(plane, mask, volume))
                for name, plane, mask in _frames(file, classes)
            ]
    except UnusableError:
        raise
    except Exception as error:
        raise UnusableError("the segmentation is truncated or damaged") from error
    unions = ((name, _union(name, frames, volume.hu.shape)) for name in classes)
    row, column = volume.spacing_mm
    return merge_masks(unions, list(classes), volume.hu.shape, row * column)


def _union(
    name: str, frames: Sequence[tuple[str, int, Mask]], shape: tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    union = np.zeros(shape, bool)
    for of, index, mask in frames:
        if of == name:
            union[index] |= mask
    return union


def _frames(file: Any, classes: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, Plane, Mask]]:
    """Class, place and (H, W) mask of every frame of the segments of some classes."""
    rows, columns = int(file.Rows), int(file.Columns)
    pixels = file.pixel_array.reshape(-1, rows, columns)
    shared = file.SharedFunctionalGroupsSequence[0]
    groups = file.PerFrameFunctionalGroupsSequence
    kind = str(file.SegmentationType)
    if kind == _LABELMAP:
        _check_numbers(file, pixels)
    least = _INSIDE * float(file.MaximumFractionalValue) if kind == _FRACTIONAL else 1
    for own, stored in zip(groups, pixels, strict=True):
        masks: dict[str, Mask] = {}
        if kind == _LABELMAP:
            masks = {name: np.isin(stored, numbers) for name, numbers in classes.items()}
        else:
            segment = _macro(own, shared, "SegmentIdentificationSequence").ReferencedSegmentNumber
            inside = stored >= least
            masks = {name: inside for name, numbers in classes.items() if int(segment) in numbers}
        if masks:
            plane = _plane(own, shared, (rows, columns))
            yield from ((name, plane, mask) for name, mask in masks.items())


def _check_numbers(file: Any, pixels: npt.NDArray[np.integer]) -> None:
    known = {0, int(file.get("PixelPaddingValue") or 0)}
    known |= {int(segment.SegmentNumber) for segment in file.SegmentSequence}
    unknown = sorted(set(np.unique(pixels).tolist()) - known)
    if unknown:
        shown = ", ".join(map(str, unknown[:8])) + " …" * (len(unknown) > 8)
        raise UnusableError(
            f"pixels of the segmentation, a {_LABELMAP}, have the values {shown}, which are no "
            "segments of it"
        )


def _plane(own: Any, shared: Any, shape: tuple[int, int]) -> Plane:
    if not (own.get("PlanePositionSequence") or shared.get("PlanePositionSequence")):
        raise UnusableError(
            "frames of the segmentation do not say where they lie (PlanePositionSequence)"
        )
    position = _macro(own, shared, "PlanePositionSequence").ImagePositionPatient
    directions = _macro(own, shared, "PlaneOrientationSequence").ImageOrientationPatient
    spacing = _macro(own, shared, "PixelMeasuresSequence").PixelSpacing
    plane = Plane(
        tuple(map(float, position)),
        tuple(map(float, directions)),
        tuple(map(float, spacing)),
        shape,
    )
    try:
        check_plane(plane)
    except UnusableError as error:
        raise UnusableError(f"a frame of the segmentation is unusable: {error}") from error
    return plane


def _macro(own: Any, shared: Any, name: str) -> Any:
    """A functional group, which a frame has of its own or all share."""
    return (own.get(name) or shared[name])[0]


def _placed(plane: Plane, mask: Mask, volume: Volume) -> tuple[int, Mask]:
    """Index of the slice a frame lies on, and its (H, W) mask as the slice is turned."""
    turned, origin = to_lps(plane, mask.astype(np.float32))
    distance = np.abs(volume.z_mm - plane.position[2])
    index = int(distance.argmin())
    in_plane = corners_mm(origin, plane.spacing, mask.shape) - corners_mm(
        volume.origin_mm, volume.spacing_mm, volume.hu.shape[1:]
    )
    if (
        mask.shape != volume.hu.shape[1:]
        or distance[index] > _SAME_MM
        or np.abs(in_plane).max() > _SAME_MM
    ):
        raise UnusableError("the segmentation is on another grid than its series")
    return index, turned != 0
