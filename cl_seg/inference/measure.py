"""Measurements in predicted masks: areas, HU, and how certain they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.inference.predict import SlicePrediction
from cl_seg.inference.stability import (
    LOW_STABILITY,
    case_stability,
    doubted,
    possible_cm2,
    stability,
)
from cl_seg.metrics.body_composition import (
    area_cm2,
    low_attenuation_share,
    mean_hu,
    skeletal_muscle_index,
)
from cl_seg.scans.series import Volume
from cl_seg.scans.store import HU, Labels

MUSCLE = "muscle"
MEANS = ["area_cm2", "mean_hu", "low_attenuation_share", "smi_cm2_m2"]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Variation:
    """How the augmented predictions of a slice differ, an entry per class; NaN without any.

    Attributes:
        agreement: see :func:`cl_seg.inference.stability.stability`.
        area_sd_cm2: standard deviation of the area.
        expected_cm2: area that the probabilities add up to, averaged.
    """

    agreement: Values
    area_sd_cm2: Values
    expected_cm2: Values


def variation(prediction: SlicePrediction, n_classes: int, mm: float) -> Variation:
    """How much a prediction depends on small changes of the image and of the network.

    Args:
        prediction: of a slice.
        n_classes: without the background.
        mm: side of a pixel.
    """
    areas = areas_cm2(prediction.augmented_labels, n_classes, mm)
    several = len(areas) > 1
    return Variation(
        np.array([stability(prediction, label) for label in range(1, n_classes + 1)]),
        areas.std(axis=0, ddof=1) if several else np.full(n_classes, np.nan),
        prediction.expected_cm2[:, 1:].mean(axis=0),
    )


def variation_of_what_is_left(each: Variation, removed_cm2: Values, left_cm2: Values) -> Variation:
    """Variation of a slice from which pieces were removed.

    Where nothing is left of a class, the removed piece says nothing of it: neither how stable that
    piece was, nor its area.

    Args:
        each: of the slice before.
        removed_cm2: (C,) areas that were removed.
        left_cm2: (C,) areas that are left.
    """
    gone = (removed_cm2 > 0) & (left_cm2 == 0) & ~np.isnan(each.agreement)
    expected = np.maximum(each.expected_cm2 - removed_cm2, 0)
    return replace(each, agreement=np.where(gone, 1.0, each.agreement), expected_cm2=expected)


def areas_cm2(labels: Labels, n_classes: int, mm: float) -> Values:
    """(N, C) areas of the classes on the slices of (N, H, W) labels with pixels of ``mm``."""
    counts = [[np.count_nonzero(one == label + 1) for label in range(n_classes)] for one in labels]
    return area_cm2(np.array(counts, float), mm)


def agreement_and_area(
    variations: Sequence[Variation], found_cm2: Values, z_mm: Values
) -> tuple[Values, Values]:
    """Agreement of every slice and class as slices of a series, and the area that is possible.

    Args:
        variations: of the slices.
        found_cm2: (N, C) areas that are found.
        z_mm: (N,) ascending positions.

    Returns:
        (N, C) each, see :func:`cl_seg.inference.stability.doubted` and
        :func:`cl_seg.inference.stability.possible_cm2`.
    """
    expected = np.array([each.expected_cm2 for each in variations])
    possible = possible_cm2(found_cm2, expected, z_mm)
    return doubted(np.array([each.agreement for each in variations]), found_cm2, possible), possible


def measure_series(
    volume: Volume,
    labels: Labels,
    variations: Sequence[Variation],
    classes: Sequence[str],
    height_m: float | None = None,
) -> list[dict[str, Any]]:
    """A row per slice and class, None for what is not known.

    Besides the columns of :func:`measurements`, ``area_sd_cm2`` and ``agreement`` say how much a
    slice depends on small changes of the image and, with several networks, on the training, and
    ``possible_cm2`` which area it may have, see :mod:`cl_seg.inference.stability`.

    Args:
        volume: the series.
        labels: (N, H, W) uint8 on its pixels.
        variations: of its slices.
        classes: names of labels 1, 2, ….
        height_m: of the patient.
    """
    mm = pixel_mm(volume)
    found = areas_cm2(labels, len(classes), mm)
    agreement, possible = agreement_and_area(variations, found, volume.z_mm)
    rows = []
    for index, each in enumerate(variations):
        where = {"slice": index, "z_mm": round(float(volume.z_mm[index]), 3)}
        measured = measurements(volume.hu[index], labels[index], classes, mm, height_m)
        for k, row in enumerate(measured):
            doubt = {
                "area_sd_cm2": each.area_sd_cm2[k],
                "agreement": agreement[index, k],
                "possible_cm2": possible[index, k],
            }
            rows.append(
                {**where, **row, **{name: _known(float(value)) for name, value in doubt.items()}}
            )
    return rows


def pixel_mm(volume: Volume) -> float:
    """Side of a square as large as a pixel of a series, in mm."""
    return float(np.sqrt(np.prod(volume.spacing_mm)))


def measurements(
    hu: HU, labels: Labels, classes: Sequence[str], mm: float, height_m: float | None = None
) -> list[dict[str, Any]]:
    """Area and HU, one row per class of a slice; None for what is not known.

    Args:
        hu: (H, W) int16.
        labels: (H, W) uint8.
        classes: names of labels 1, 2, ….
        mm: side of a pixel.
        height_m: of the patient, for the skeletal muscle index of the class ``muscle``.
    """
    rows = []
    for label, name in enumerate(classes, start=1):
        mask = labels == label
        area = area_cm2(int(mask.sum()), mm)
        of_muscle = name == MUSCLE
        rows.append({
            "class": name,
            "area_cm2": area,
            "mean_hu": _known(mean_hu(hu, mask)),
            "low_attenuation_share": _known(low_attenuation_share(hu, mask)) if of_muscle else None,
            "smi_cm2_m2": skeletal_muscle_index(area, height_m) if of_muscle and height_m else None,
        })  # fmt: skip
    return rows


def measure_cases(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per case and class of the rows of :func:`measure_series`.

    Returns:
        Columns case, scanner, class; the means of areas and HU over slices; ``agreement``, see
        :func:`cl_seg.inference.stability.case_stability`; and the number of ``slices``, of those on
        which the class is ``found``, and of those with ``low_agreement``.
    """
    rows = rows.astype(dict.fromkeys([*MEANS, "agreement"], float))  # of what is not known, too
    groups = rows.groupby(["case", "scanner", "class"], sort=False)
    table = groups[MEANS].mean()
    table["agreement"] = [
        case_stability(own["agreement"], own["possible_cm2"]) for _, own in groups
    ]
    table["slices"] = groups.size()
    table["found"] = [int((own["area_cm2"] > 0).sum()) for _, own in groups]
    table["low_agreement"] = [int((own["agreement"] < LOW_STABILITY).sum()) for _, own in groups]
    return table.reset_index()


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
