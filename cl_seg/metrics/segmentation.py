"""Overlap and surface scores of one structure."""

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Mask = npt.NDArray[np.bool_]
Distances = npt.NDArray[np.float64]


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


def box_around(mask: Mask) -> tuple[slice, ...]:
    """The smallest box that holds a mask; all of it where the mask is empty."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    return found[0] if found else tuple(slice(None) for _ in mask.shape)


def contour(mask: Mask) -> Mask:
    """Pixels of a (H, W) mask with a 4-neighbour outside it or at the image edge."""
    border: Mask = mask & ~ndimage.binary_erosion(mask)
    return border


def surface_distances(
    prediction: Mask, truth: Mask, spacing_mm: float
) -> tuple[Distances, Distances]:
    """Distances in mm from each border pixel of one mask to the border of the other.

    Border pixels are those of :func:`contour`.

    Args:
        prediction: (H, W) bool, not empty.
        truth: (H, W) bool, not empty.
        spacing_mm: pixel size in mm.

    Returns:
        Prediction border → truth border, and truth border → prediction border.
    """
    box = box_around(prediction | truth)
    borders = [contour(mask[box]) for mask in (prediction, truth)]
    to_prediction, to_truth = (
        ndimage.distance_transform_edt(~border) * spacing_mm for border in borders
    )
    return to_truth[borders[0]], to_prediction[borders[1]]


def surface_scores(
    prediction: npt.ArrayLike, truth: npt.ArrayLike, spacing_mm: float
) -> tuple[float, float]:
    """HD95 and ASSD in mm, see :func:`hd95` and :func:`assd`; both in one pass."""
    predicted, true = _masks(prediction, truth)
    if not predicted.any() and not true.any():
        return math.nan, math.nan
    if predicted.any() != true.any():
        diagonal = spacing_mm * math.hypot(*true.shape)
        return diagonal, diagonal
    distances = surface_distances(predicted, true, spacing_mm)
    percentile = float(max(np.percentile(direction, 95) for direction in distances))
    return percentile, float(np.concatenate(distances).mean())


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
    return surface_scores(prediction, truth, spacing_mm)[0]


def assd(prediction: npt.ArrayLike, truth: npt.ArrayLike, spacing_mm: float) -> float:
    """Average symmetric surface distance in mm (Heimann et al. 2009).

    The mean over the border pixels of both masks; arguments, errors and missed structures as for
    :func:`hd95`.

    >>> assd([[1, 0, 0, 0]], [[0, 0, 1, 0]], spacing_mm=1.5)
    3.0
    """
    return surface_scores(prediction, truth, spacing_mm)[1]
