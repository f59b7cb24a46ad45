"""Scores per case and class: overlap, surface distance, area and the effort to correct."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.evaluation.slice_scores import Columns, slice_scores
from cl_seg.metrics.body_composition import area_cm2, area_error_percent
from cl_seg.metrics.segmentation import dice_of_counts, iou_of_counts, surface_dice_of_counts
from cl_seg.scans.store import Labels


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
    - ``surface_dice_3mm``: share of the contours of all slices within 3 mm of each other, 0…1.
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
    of_class = slice_scores(prediction, truth, len(classes), mm)
    return [
        {"case": case, "class": name, **_scores({k: v[indices] for k, v in columns.items()}, mm)}
        for case, indices in of_case.items()
        for name, columns in zip(classes, of_class, strict=True)
    ]


def _scores(slices: Columns, mm: float) -> dict[str, Any]:
    overlap, predicted, true = (
        int(slices[name].sum()) for name in ("overlap", "predicted", "true")
    )
    any_pixel = slices["predicted"] + slices["true"] > 0
    occupied = {name: column[any_pixel] for name, column in slices.items()}
    to_correct = occupied["predicted"] + occupied["true"] - 2 * occupied["overlap"]
    return {
        "overlap": overlap,
        "predicted": predicted,
        "true": true,
        "dice": dice_of_counts(overlap, predicted, true),
        "iou": iou_of_counts(overlap, predicted, true),
        "true_cm2": area_cm2(true / len(slices["true"]), mm),
        "area_error_cm2": area_cm2((predicted - true) / len(slices["true"]), mm),
        "area_error_percent": area_error_percent(predicted, true),
        "contour_mm": _mean(occupied["contour"] * mm, 0.0),
        "added_path_mm": _mean(occupied["added_path"] * mm, 0.0),
        "to_correct_cm2": _mean(area_cm2(to_correct, mm), 0.0),
        "hd95_mm": _mean(occupied["hd95_mm"]),
        "assd_mm": _mean(occupied["assd_mm"]),
        "surface_dice_3mm": surface_dice_of_counts(
            slices["within"].sum(), slices["contours"].sum()
        ),
        "missed": bool(true and not predicted),
        "false_positive_cm2": area_cm2(predicted - overlap, mm),
    }


def _mean(values: npt.NDArray[np.number], of_none: float = float("nan")) -> float:
    return float(np.mean(values)) if len(values) else of_none
