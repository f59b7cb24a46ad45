"""Scores of every slice, of which those of a case are made."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from cl_seg.metrics.contours import Mask, edge_pixels
from cl_seg.metrics.segmentation import surface_scores
from cl_seg.scans.store import UNLABELLED, Labels

CHUNK = 16  # slices scored at once, bounds the memory of their contours
Columns = Mapping[str, npt.NDArray[np.float64]]


def slice_scores(prediction: Labels, truth: Labels, classes: int, mm: float) -> list[Columns]:
    """Columns of scores with a row per slice, for label 1, 2, ….

    Pixels of unknown truth are left out.

    - ``overlap``, ``predicted``, ``true``: pixels.
    - ``contour``, ``added_path``: pixels of the true contour, and those of them that the predicted
      one does not cover.
    - ``hd95_mm``, ``assd_mm``, ``contours``, ``within``: see
      :class:`cl_seg.metrics.segmentation.SurfaceScores`.

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
    found = np.where(truth == UNLABELLED, np.uint8(UNLABELLED), prediction)
    found_edges, true_edges = edge_pixels(found), edge_pixels(truth)
    columns = []
    for label in range(1, classes + 1):
        masks = found == label, truth == label
        columns.append(_class_scores(masks, (masks[0] & found_edges, masks[1] & true_edges), mm))
    return columns


def _class_scores(masks: tuple[Mask, Mask], contours: tuple[Mask, Mask], mm: float) -> Columns:
    """Columns of one class, from its predicted and true masks and their contours."""
    (predicted, true), (predicted_contour, true_contour) = masks, contours
    return {
        "overlap": _counts(predicted & true),
        "predicted": _counts(predicted),
        "true": _counts(true),
        "contour": _counts(true_contour),
        "added_path": _counts(true_contour & ~predicted_contour),
        **surface_scores(predicted_contour, true_contour, mm)._asdict(),
    }


def _counts(masks: Mask) -> npt.NDArray[np.float64]:
    return np.array([np.count_nonzero(mask) for mask in masks], float)
