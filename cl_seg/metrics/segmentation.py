"""Overlap and surface scores of one structure."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Mask = npt.NDArray[np.bool_]
Distances = npt.NDArray[np.float64]


def dice(prediction: Mask, truth: Mask) -> float:
    """Dice coefficient 2|P∩T| / (|P|+|T|) (Dice 1945); NaN when both are empty.

    Args:
        prediction: boolean array of any shape.
        truth: boolean array of the same shape.
    """
    return dice_of_counts(
        int(np.count_nonzero(prediction & truth)),
        int(np.count_nonzero(prediction)),
        int(np.count_nonzero(truth)),
    )


def dice_of_counts(overlap: int, predicted: int, true: int) -> float:
    """Dice from pixel counts, so that the slices of a case can be added up; NaN when both are 0."""
    total = predicted + true
    return 2 * overlap / total if total else math.nan


def iou_of_counts(overlap: int, predicted: int, true: int) -> float:
    """Intersection over union |P∩T| / |P∪T| (Jaccard 1912) from pixel counts; NaN if both are 0."""
    union = predicted + true - overlap
    return overlap / union if union else math.nan


def surface_distances(
    prediction: Mask, truth: Mask, spacing_mm: float
) -> tuple[Distances, Distances]:
    """Distances in mm from each border pixel of one mask to the border of the other.

    A border pixel belongs to the mask and has a 4-neighbour outside it or lies at the image edge.

    Args:
        prediction: (H, W) bool, not empty.
        truth: (H, W) bool, not empty.
        spacing_mm: pixel size in mm.

    Returns:
        Prediction border → truth border, and truth border → prediction border.
    """
    borders = [mask & ~ndimage.binary_erosion(mask) for mask in (prediction, truth)]
    to_prediction, to_truth = (
        ndimage.distance_transform_edt(~border) * spacing_mm for border in borders
    )
    return to_truth[borders[0]], to_prediction[borders[1]]


def hd95(prediction: Mask, truth: Mask, spacing_mm: float) -> float:
    """95th percentile of the symmetric surface distance, in mm.

    The larger of the two directed 95th percentiles (as in MONAI). A missed or invented structure
    counts as the image diagonal instead of vanishing from the mean; NaN when both are empty.
    """
    return _surface_score(prediction, truth, spacing_mm, _larger_percentile)


def assd(prediction: Mask, truth: Mask, spacing_mm: float) -> float:
    """Average symmetric surface distance in mm, over the border pixels of both masks.

    Empty masks are handled as in :func:`hd95`.
    """
    return _surface_score(
        prediction, truth, spacing_mm, lambda a, b: float(np.concatenate([a, b]).mean())
    )


def _larger_percentile(a: Distances, b: Distances) -> float:
    return float(max(np.percentile(a, 95), np.percentile(b, 95)))


def _surface_score(
    prediction: Mask,
    truth: Mask,
    spacing_mm: float,
    score: Callable[[Distances, Distances], float],
) -> float:
    found, present = bool(prediction.any()), bool(truth.any())
    if not found and not present:
        return math.nan
    if found != present:
        return spacing_mm * math.hypot(*truth.shape)
    return float(score(*surface_distances(prediction, truth, spacing_mm)))
