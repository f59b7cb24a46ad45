"""DICOM segmentation objects (SEG): which series they are of, and their masks on its pixels.

DICOM PS3.3 A.51; binary segmentations only, one frame per slice and segment.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom

from cl_seg.scans.dicom_header import read_fields
from cl_seg.scans.geometry import Plane, check_plane, corners_mm, to_lps
from cl_seg.scans.series import Pseudonyms, UnusableError, Volume
from cl_seg.scans.store import Labels

_SAME_MM = 0.1  # headers may differ this much in rounding
_HEADER = ["Modality", "SegmentationType", "SegmentSequence", "ReferencedSeriesSequence"]
_PIXELS = [
    *("Rows", "Columns", "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit", "PixelData"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PixelRepresentation"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
]


@dataclass(frozen=True)
class SegmentationObject:
    """Header of a segmentation.

    Attributes:
        path: the file.
        series: salted hash of the series it is of.
        segments: segment number → SegmentLabel.
    """

    path: Path
    series: str
    segments: dict[int, str]


def read_segments(path: Path, pseudonyms: Pseudonyms) -> SegmentationObject | None:
    """Read the header of a segmentation; None for any other file.

    Raises:
        UnusableError: a segmentation that is not binary or does not say of what it is.
    """
    try:
        header = read_fields(path, _HEADER)
    except UnusableError:
        return None
    if header.get("Modality") != "SEG":
        return None
    kind = str(header.get("SegmentationType") or "missing")
    if kind != "BINARY":
        raise UnusableError(f"SegmentationType is {kind}, expected BINARY")
    try:
        uid = str(header.ReferencedSeriesSequence[0].SeriesInstanceUID)
        segments = {int(s.SegmentNumber): str(s.SegmentLabel) for s in header.SegmentSequence}
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise UnusableError("it does not say of which series it is, or its segments") from error
    return SegmentationObject(path, pseudonyms.series(uid), segments)


def read_masks(path: Path, values: Mapping[int, int], volume: Volume) -> Labels:
    """Labels of a series from the segments of a segmentation of it.

    Where segments overlap, the frame that comes first in the file has the pixel.

    Args:
        path: the file.
        values: segment number → label; other segments are background.
        volume: the series.

    Returns:
        (N, H, W) uint8, one slice per slice of the series; slices without a frame are background.

    Raises:
        UnusableError: damaged, or a frame lies on no slice of the series.
    """
    labels = np.zeros(volume.hu.shape, np.uint8)
    try:
        with pydicom.config.disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = read_fields(path, _PIXELS)
            for segment, plane, mask in _frames(file, set(values)):
                index, inside = _placed(plane, mask, volume)
                labels[index][inside & (labels[index] == 0)] = values[segment]
    except UnusableError:
        raise
    except Exception as error:
        raise UnusableError("the segmentation is truncated or damaged") from error
    return labels


def _frames(file: Any, segments: set[int]) -> Iterator[tuple[int, Plane, npt.NDArray[np.float32]]]:
    """Segment number, place and (H, W) mask of every frame of some segments."""
    rows, columns = int(file.Rows), int(file.Columns)
    pixels = file.pixel_array.reshape(-1, rows, columns)
    shared = file.SharedFunctionalGroupsSequence[0]
    groups = file.PerFrameFunctionalGroupsSequence
    for own, mask in zip(groups, pixels, strict=True):
        segment = int(own.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        if segment not in segments:
            continue
        position = _macro(own, shared, "PlanePositionSequence").ImagePositionPatient
        directions = _macro(own, shared, "PlaneOrientationSequence").ImageOrientationPatient
        spacing = _macro(own, shared, "PixelMeasuresSequence").PixelSpacing
        plane = Plane(
            tuple(map(float, position)),
            tuple(map(float, directions)),
            tuple(map(float, spacing)),
            (rows, columns),
        )
        check_plane(plane)
        yield segment, plane, mask.astype(np.float32)


def _macro(own: Any, shared: Any, name: str) -> Any:
    """A functional group, which a frame has of its own or all share."""
    return (own.get(name) or shared[name])[0]


def _placed(
    plane: Plane, mask: npt.NDArray[np.float32], volume: Volume
) -> tuple[int, npt.NDArray[np.bool_]]:
    """Index of the slice a frame lies on, and its (H, W) mask as the slice is turned."""
    turned, origin = to_lps(plane, mask)
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
