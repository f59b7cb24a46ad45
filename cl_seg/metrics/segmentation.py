"""Overlap and surface scores of one structure."""

import math

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


def surface_scores(prediction: Mask, truth: Mask, spacing_mm: float) -> tuple[Distances, Distances]:
    """HD95 and ASSD in mm of every slice, see :func:`hd95` and :func:`assd`.

    Args:
        prediction: (N, H, W) contours of the predicted structure, see
            :func:`cl_seg.metrics.contours.contour`.
        truth: (N, H, W) contours of the true one.
        spacing_mm: pixel size in mm.

    Returns:
        (N,) each.
    """
    scores = np.full((2, len(truth)), math.nan)
    directions = contour_distances(prediction, truth), contour_distances(truth, prediction)
    for index, pixels in enumerate(zip(*directions, strict=True)):
        if all(map(len, pixels)):
            distances = [direction * spacing_mm for direction in pixels]
            scores[0, index] = max(np.percentile(direction, 95) for direction in distances)
            scores[1, index] = np.concatenate(distances).mean()
        elif any(map(len, pixels)):
            scores[:, index] = spacing_mm * math.hypot(*truth.shape[1:])
    return scores[0], scores[1]


def _surface_scores(
    prediction: npt.ArrayLike, truth: npt.ArrayLike, spacing_mm: float
) -> tuple[float, float]:
    found, true = (contour(mask[None]) for mask in _masks(prediction, truth))
    percentiles, means = surface_scores(found, true, spacing_mm)
    return float(percentiles[0]), float(means[0])


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
    return _surface_scores(prediction, truth, spacing_mm)[0]


def assd(prediction: npt.ArrayLike, truth: npt.ArrayLike, spacing_mm: float) -> float:
    """Average symmetric surface distance in mm (Heimann et al. 2009).

    The mean over the border pixels of both masks; arguments, errors and missed structures as for
    :func:`hd95`.

    >>> assd([[1, 0, 0, 0]], [[0, 0, 1, 0]], spacing_mm=1.5)
    3.0
    """
    return _surface_scores(prediction, truth, spacing_mm)[1]
