"""Overlap and surface scores of one structure."""

import math

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


def box_around(mask: Mask) -> tuple[slice, ...]:
    """The smallest box that holds a mask; all of it where the mask is empty."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    return found[0] if found else tuple(slice(None) for _ in mask.shape)


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
    here = box_around(prediction | truth)
    borders = [mask & ~ndimage.binary_erosion(mask) for mask in (prediction[here], truth[here])]
    to_prediction, to_truth = (
        ndimage.distance_transform_edt(~border) * spacing_mm for border in borders
    )
    return to_truth[borders[0]], to_prediction[borders[1]]


def surface_scores(prediction: Mask, truth: Mask, spacing_mm: float) -> tuple[float, float]:
    """HD95 and ASSD in mm.

    HD95 is the larger of the two directed 95th percentiles of the surface distance (as in MONAI);
    ASSD is the mean over the border pixels of both masks. A missed or invented structure counts as
    the image diagonal instead of vanishing from the mean; NaN when both are empty.

    Args:
        prediction: (H, W) bool.
        truth: (H, W) bool.
        spacing_mm: pixel size in mm.
    """
    found, present = bool(prediction.any()), bool(truth.any())
    if not found and not present:
        return math.nan, math.nan
    if found != present:
        diagonal = spacing_mm * math.hypot(*truth.shape)
        return diagonal, diagonal
    each = surface_distances(prediction, truth, spacing_mm)
    percentile = float(max(np.percentile(one, 95) for one in each))
    return percentile, float(np.concatenate(each).mean())


def hd95(prediction: Mask, truth: Mask, spacing_mm: float) -> float:
    """95th percentile of the symmetric surface distance in mm, see :func:`surface_scores`."""
    return surface_scores(prediction, truth, spacing_mm)[0]


def assd(prediction: Mask, truth: Mask, spacing_mm: float) -> float:
    """Average symmetric surface distance in mm, see :func:`surface_scores`."""
    return surface_scores(prediction, truth, spacing_mm)[1]
