"""Scores of one class on every slice, of which those of a case are made."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from cl_seg.metrics.contours import Mask, edge_pixels
from cl_seg.metrics.segmentation import surface_scores
from cl_seg.scans.store import UNLABELLED, Labels

CHUNK = 64  # slices scored at once, bounds the memory of their contours
Columns = Mapping[str, npt.NDArray[np.generic]]


def slice_scores(prediction: Labels, truth: Labels, classes: int, mm: float) -> list[Columns]:
    """Columns of scores with a row per slice, for label 1, 2, ….

    Pixels of unknown truth are left out.

    - ``overlap``, ``predicted``, ``true``: pixels.
    - ``contour``, ``added_path``: pixels of the true contour, and those of them that the predicted
      one does not cover.
    - ``hd95_mm``, ``assd_mm``: see :func:`cl_seg.metrics.segmentation.surface_scores`.

    Args:
        prediction: (N, H, W) uint8.
        truth: (N, H, W) uint8, 255 unknown.
        classes: number of foreground classes.
        mm: pixel size in mm.
    """
    chunks = [
        _scores(prediction[at : at + CHUNK], truth[at : at + CHUNK], classes, mm)
        for at in range(0, len(truth), CHUNK)
    ]
    return [
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for parts in zip(*chunks, strict=True)
    ]


def _scores(prediction: Labels, truth: Labels, classes: int, mm: float) -> list[Columns]:
    known = np.where(truth == UNLABELLED, UNLABELLED, prediction)
    pair = (known, truth)
    edges = [edge_pixels(labels) for labels in pair]
    return [
        _class_scores(*(labels == label for labels in pair), *edges, mm)
        for label in range(1, classes + 1)
    ]


def _class_scores(
    found: Mask, true: Mask, found_edges: Mask, true_edges: Mask, mm: float
) -> Columns:
    contours = found & found_edges, true & true_edges
    hd95, assd = surface_scores(*contours, mm)
    counted = {
        "overlap": found & true,
        "predicted": found,
        "true": true,
        "contour": contours[1],
        "added_path": contours[1] & ~contours[0],
    }
    counts = {
        name: np.array([np.count_nonzero(one) for one in mask]) for name, mask in counted.items()
    }
    return {**counts, "hd95_mm": hd95, "assd_mm": assd}
