"""Slices that are shown as examples: a typical one, and the worst, median and best prediction."""

import numpy as np
import numpy.typing as npt

from cl_seg.evaluation.pixel_counts import pixel_counts
from cl_seg.metrics.segmentation import dice_of_counts
from cl_seg.scans.store import Labels


def slice_dice(prediction: Labels, truth: Labels, classes: int) -> npt.NDArray[np.float64]:
    """Dice of every slice, the mean over the classes that are present in truth or prediction.

    Args:
        prediction: (N, H, W) uint8.
        truth: (N, H, W) uint8, 255 unknown.
        classes: number of foreground classes.

    Returns:
        (N,), NaN where no class is true or predicted.
    """
    scores = np.full((len(truth), classes), np.nan)
    for index, (found, true) in enumerate(zip(prediction, truth, strict=True)):
        for label in range(1, classes + 1):
            scores[index, label - 1] = dice_of_counts(**pixel_counts(found, true, label))
    known = np.isfinite(scores).sum(axis=1)
    return np.where(known, np.nansum(scores, axis=1) / np.maximum(known, 1), np.nan)


def ranked_slices(dice: npt.NDArray[np.float64]) -> tuple[int, int, int]:
    """Indices of the worst, the median and the best slice; the first where none has a Dice."""
    order = np.argsort(dice, kind="stable")[: int(np.isfinite(dice).sum())]
    if not len(order):
        return 0, 0, 0
    return int(order[0]), int(order[len(order) // 2]), int(order[-1])


def typical_slice(truth: Labels, classes: int) -> int:
    """A typical slice, not the easiest: median labelled area among those with most classes."""
    areas = np.stack([(truth == label).sum((1, 2)) for label in range(1, classes + 1)], axis=1)
    richness = (areas > 0).sum(axis=1)
    rich = np.flatnonzero(richness == richness.max())
    ranked = rich[np.argsort(areas[rich].sum(axis=1), kind="stable")]
    return int(ranked[len(ranked) // 2])
