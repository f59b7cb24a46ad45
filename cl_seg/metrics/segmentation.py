"""Overlap and surface scores of one structure."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cl_seg.metrics.contours import Distances, Mask, contour, contour_distances


def dice(prediction: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Dice coefficient 2|P∩T| / (|P|+|T|) (Dice 1945); NaN when both are empty.

    Args:
        prediction: mask of any shape, bool or 0 and 1.
        truth: mask of the same shape.

    Raises:
        ValueError: the shapes differ.

    >>> dice([1, 1, 0, 0], [1, 0, 1, 0])
    0.5
    """
    return dice_of_counts(*_counts(prediction, truth))


def iou(prediction: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Intersection over union |P∩T| / |P∪T| (Jaccard 1912); NaN when both are empty.

    Args:
        prediction: mask of any shape, bool or 0 and 1.
        truth: mask of the same shape.

    Raises:
        ValueError: the shapes differ.

    >>> iou([1, 1, 0, 0], [1, 0, 0, 0])
    0.5
    """
    return iou_of_counts(*_counts(prediction, truth))


def _counts(prediction: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[int, int, int]:
    """Pixels of the overlap, of the prediction and of the truth."""
    found, there = _masks(prediction, truth)
    overlap, predicted, true = (int(np.sum(mask)) for mask in (found & there, found, there))
    return overlap, predicted, true


def _masks(prediction: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Mask, Mask]:
    masks = np.asarray(prediction, bool), np.asarray(truth, bool)
    if masks[0].shape != masks[1].shape:  # numpy would broadcast them
        raise ValueError(f"masks of one shape expected, got {masks[0].shape} and {masks[1].shape}")
    return masks


def dice_of_counts(overlap: int, predicted: int, true: int) -> float:
    """Dice from pixel counts, so that the slices of a case can be added up; NaN when both are 0."""
    total = predicted + true
    return 2 * overlap / total if total else math.nan


def iou_of_counts(overlap: int, predicted: int, true: int) -> float:
    """Intersection over union |P∩T| / |P∪T| (Jaccard 1912) from pixel counts; NaN if both are 0."""
    union = predicted + true - overlap
    return overlap / union if union else math.nan


SURFACE_TOLERANCE_MM = 3.0
"""Tolerance of the surface Dice of cases, that of TotalSegmentator (Wasserthal et al. 2023)."""


class SurfaceScores(NamedTuple):
    """Scores of the contours of every slice, (N,) each.

    Attributes:
        hd95_mm: see :func:`hd95`.
        assd_mm: see :func:`assd`.
        contours: pixels of both contours.
        within: those of them within the tolerance of the other contour.
    """

    hd95_mm: Distances
    assd_mm: Distances
    contours: Distances
    within: Distances


def surface_scores(
    prediction: Mask, truth: Mask, spacing_mm: float, tolerance_mm: float = SURFACE_TOLERANCE_MM
) -> SurfaceScores:
    """Surface scores of every slice.

    Args:
        prediction: (N, H, W) contours of the predicted structure, see
            :func:`cl_seg.metrics.contours.contour`.
        truth: (N, H, W) contours of the true one.
        spacing_mm: pixel size in mm.
        tolerance_mm: of ``within``.
    """
    scores, counts = np.full((2, len(truth)), math.nan), np.zeros((2, len(truth)))
    directions = contour_distances(prediction, truth), contour_distances(truth, prediction)
    for index, pixels in enumerate(zip(*directions, strict=True)):
        counts[0, index] = sum(map(len, pixels))
        if all(map(len, pixels)):
            distances = [direction * spacing_mm for direction in pixels]
            scores[0, index] = max(np.percentile(direction, 95) for direction in distances)
            both = np.concatenate(distances)
            scores[1, index] = both.mean()
            counts[1, index] = np.count_nonzero(both <= tolerance_mm)
        elif any(map(len, pixels)):
            scores[:, index] = spacing_mm * math.hypot(*truth.shape[1:])
    return SurfaceScores(*scores, *counts)


def _of_one_slice(
    prediction: npt.ArrayLike,
    truth: npt.ArrayLike,
    spacing_mm: float,
    tolerance_mm: float = SURFACE_TOLERANCE_MM,
) -> SurfaceScores:
    found, true = (contour(mask[None]) for mask in _masks(prediction, truth))
    return surface_scores(found, true, spacing_mm, tolerance_mm)


def hd95(prediction: npt.ArrayLike, truth: npt.ArrayLike, spacing_mm: float) -> float:
    """95th percentile of the Hausdorff distance in mm (Huttenlocher et al. 1993).

    The larger of the two directed 95th percentiles of the surface distance, as in MONAI. A missed
    or invented structure counts as the image diagonal instead of vanishing from the mean; NaN when
    both are empty.

    Args:
        prediction: (H, W) mask, bool or 0 and 1.
        truth: (H, W) mask.
        spacing_mm: pixel size in mm.

    Raises:
        ValueError: the shapes differ.

    >>> hd95([[1, 0, 0, 0]], [[0, 0, 1, 0]], spacing_mm=1.5)
    3.0
    """
    return float(_of_one_slice(prediction, truth, spacing_mm).hd95_mm[0])


def assd(prediction: npt.ArrayLike, truth: npt.ArrayLike, spacing_mm: float) -> float:
    """Average symmetric surface distance in mm (Heimann et al. 2009).

    The mean over the border pixels of both masks; arguments, errors and missed structures as for
    :func:`hd95`.

    >>> assd([[1, 0, 0, 0]], [[0, 0, 1, 0]], spacing_mm=1.5)
    3.0
    """
    return float(_of_one_slice(prediction, truth, spacing_mm).assd_mm[0])


def surface_dice(
    prediction: npt.ArrayLike,
    truth: npt.ArrayLike,
    spacing_mm: float,
    tolerance_mm: float = SURFACE_TOLERANCE_MM,
) -> float:
    """Share of both contours that lies within a tolerance of the other one (NSD).

    ``(|P within τ of T| + |T within τ of P|) / (|P| + |T|)`` of the pixels of the contours P and T
    (Nikolov et al. 2018, arXiv 1809.04430; 2021, doi 10.2196/26151), as in MONAI without
    subvoxels. 0 for a missed or invented structure, NaN when both are empty.

    Args:
        prediction: (H, W) mask, bool or 0 and 1.
        truth: (H, W) mask.
        spacing_mm: pixel size in mm.
        tolerance_mm: τ in mm; below the pixel size only pixels on both contours count.

    Raises:
        ValueError: the shapes differ.

    >>> surface_dice([[1, 0, 0, 0]], [[0, 0, 1, 0]], spacing_mm=1.5, tolerance_mm=3.0)
    1.0
    """
    scores = _of_one_slice(prediction, truth, spacing_mm, tolerance_mm)
    return surface_dice_of_counts(scores.within[0], scores.contours[0])


def surface_dice_of_counts(within: float, contours: float) -> float:
    """Surface Dice from pixels of contours, so that slices can be added up; NaN without any."""
    return float(within / contours) if contours else math.nan
