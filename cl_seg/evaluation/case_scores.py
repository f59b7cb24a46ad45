"""Scores per case and class: overlap, surface distance, area and the effort to correct."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.metrics.body_composition import area_cm2, area_error_percent
from cl_seg.metrics.effort import added_path_length, area_to_correct
from cl_seg.metrics.segmentation import dice_of_counts, iou_of_counts, surface_scores
from cl_seg.scans.store import UNLABELLED, Labels


def case_scores(
    prediction: Labels, truth: Labels, cases: Sequence[str], classes: Sequence[str], mm: float
) -> list[dict[str, Any]]:
    """One row per case and class.

    Pixels of unknown truth are left out. "Mean slice" is the mean over all slices of a case,
    "occupied slices" are those in which the class is true or predicted.

    - ``overlap``, ``predicted``, ``true``: pixels of all slices.
    - ``dice``, ``iou``: of these pixels, 0…1.
    - ``true_cm2``: true area of the mean slice, cm².
    - ``area_error_cm2``, ``area_error_percent``: predicted minus true area of the mean slice, in
      cm² and in per cent of the true one.
    - ``contour_mm``: length of the true contour, mm, mean over occupied slices, 0 without any.
    - ``added_path_mm``: length of it that a person would have to draw, likewise.
    - ``to_correct_cm2``: area that a person would have to correct, cm², likewise.
    - ``hd95_mm``, ``assd_mm``: 95th percentile and mean of the surface distances, mm, mean over
      occupied slices, NaN without any.
    - ``missed``: True where the class is true and nowhere predicted.
    - ``false_positive_cm2``: falsely predicted area of all slices together, cm².

    Args:
        prediction: (N, H, W) uint8.
        truth: (N, H, W) uint8, 255 unknown.
        cases: case of each slice.
        classes: names of labels 1, 2, ….
        mm: pixel size in mm.
    """
    of_case: dict[str, list[int]] = {}
    for index, case in enumerate(cases):
        of_case.setdefault(case, []).append(index)
    rows = []
    for case, indices in of_case.items():
        known = truth[indices] != UNLABELLED
        for label, name in enumerate(classes, start=1):
            found = (prediction[indices] == label) & known
            true = (truth[indices] == label) & known
            rows.append({"case": case, "class": name, **_scores(found, true, mm)})
    return rows


def _scores(found: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_], mm: float) -> dict[str, Any]:
    overlap, predicted, truth_px = (
        int(np.count_nonzero(mask)) for mask in (found & true, found, true)
    )
    pairs = [(f, t) for f, t in zip(found, true, strict=True) if f.any() or t.any()]
    surfaces = [surface_scores(f, t, mm) for f, t in pairs]
    return {
        "overlap": overlap,
        "predicted": predicted,
        "true": truth_px,
        "dice": dice_of_counts(overlap, predicted, truth_px),
        "iou": iou_of_counts(overlap, predicted, truth_px),
        "true_cm2": area_cm2(truth_px / len(found), mm),
        "area_error_cm2": area_cm2((predicted - truth_px) / len(found), mm),
        "area_error_percent": area_error_percent(predicted, truth_px),
        "contour_mm": _mean([added_path_length(t & False, t, mm) for _, t in pairs], 0.0),
        "added_path_mm": _mean([added_path_length(f, t, mm) for f, t in pairs], 0.0),
        "to_correct_cm2": _mean([area_to_correct(f, t, mm) for f, t in pairs], 0.0),
        "hd95_mm": _mean([distances[0] for distances in surfaces]),
        "assd_mm": _mean([distances[1] for distances in surfaces]),
        "missed": bool(truth_px and not predicted),
        "false_positive_cm2": area_cm2(predicted - overlap, mm),
    }


def _mean(values: list[float], of_none: float = float("nan")) -> float:
    return float(np.mean(values)) if values else of_none
