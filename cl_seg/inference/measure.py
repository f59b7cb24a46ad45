"""Measurements in predicted masks: areas, HU, and how certain they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cl_seg.inference.predict import SlicePrediction
from cl_seg.inference.stability import stability
from cl_seg.metrics.body_composition import (
    area_cm2,
    low_attenuation_share,
    mean_hu,
    skeletal_muscle_index,
)
from cl_seg.scans.store import HU

MUSCLE = "muscle"


def measurements(
    hu: HU,
    prediction: SlicePrediction,
    classes: Sequence[str],
    spacing_mm: tuple[float, float],
    height_m: float | None = None,
) -> list[dict[str, Any]]:
    """One row per class of a slice.

    ``area_sd_cm2`` is the standard deviation of the area over the augmented predictions and
    ``agreement`` their :func:`~cl_seg.inference.stability.stability`: both say how much the result
    depends on small changes of the image and, with several networks, on the training; None without
    augmentation.

    Args:
        hu: (H, W) int16.
        prediction: of it.
        classes: names of labels 1, 2, ….
        spacing_mm: (row, column) pixel size in mm.
        height_m: of the patient, for the skeletal muscle index of the class ``muscle``.
    """
    mm = float(np.sqrt(np.prod(spacing_mm)))
    rows = []
    for label, name in enumerate(classes, start=1):
        mask = prediction.labels == label
        masks = [labels == label for labels in prediction.augmented_labels]
        area = area_cm2(int(mask.sum()), mm)
        of_muscle = name == MUSCLE
        rows.append({
            "class": name,
            "area_cm2": area,
            "mean_hu": _known(mean_hu(hu, mask)),
            "low_attenuation_share": _known(low_attenuation_share(hu, mask)) if of_muscle else None,
            "smi_cm2_m2": skeletal_muscle_index(area, height_m) if of_muscle and height_m else None,
            "area_sd_cm2": _known(_spread_cm2(masks, mm)),
            "agreement": _known(stability(prediction, label)),
        })  # fmt: skip
    return rows


def _spread_cm2(masks: Sequence[Any], mm: float) -> float:
    areas = [area_cm2(int(mask.sum()), mm) for mask in masks]
    return float(np.std(areas, ddof=1)) if len(areas) > 1 else float("nan")


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
