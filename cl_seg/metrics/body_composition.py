"""Measurements of a segmented structure, as body composition reports them."""

import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt

LOW_ATTENUATION_HU = (-29.0, 29.0)
"""Muscle infiltrated by fat (Aubrey et al. 2014, doi 10.1111/apha.12224)."""

Mask = npt.NDArray[np.bool_]
Numbers = TypeVar("Numbers", float, npt.NDArray[np.float64])


def area_cm2(pixels: Numbers, spacing_mm: float) -> Numbers:
    """Area in cm² of so many pixels of ``spacing_mm`` by ``spacing_mm``, of one or of many."""
    return pixels * spacing_mm * spacing_mm / 100


def area_error_percent(predicted: float, true: float) -> float:
    """100 · (predicted − true) / true of two areas in any unit; NaN where there is none."""
    return 100 * (predicted - true) / true if true else math.nan


def area_bias_percent(predicted: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Mean of 100 · (predicted − true) / true over cases: how much is found too much or too little.

    The bias of Bland & Altman 1986 on relative differences. Cases without the structure have none
    and are left out; NaN where that is all of them.

    Args:
        predicted: (n,) areas or volumes in any unit.
        true: (n,), in the same unit.

    >>> area_bias_percent([110.0, 95.0, 3.0], [100.0, 100.0, 0.0])
    2.5
    """
    found, there = np.asarray(predicted, float), np.asarray(true, float)
    present = there > 0
    errors = 100 * (found[present] - there[present]) / there[present]
    return float(errors.mean()) if len(errors) else math.nan


def mean_hu(hu: npt.NDArray[np.number], mask: Mask) -> float:
    """Mean HU of a structure; NaN where there is none.

    Args:
        hu: image of any shape, HU.
        mask: bool, of the same shape.
    """
    return float(np.mean(hu[mask])) if mask.any() else math.nan


def low_attenuation_share(hu: npt.NDArray[np.number], muscle: Mask) -> float:
    """Share of a muscle's pixels with −29 to 29 HU, both included; NaN where there is none.

    Args:
        hu: image of any shape, HU.
        muscle: bool, of the same shape.
    """
    low, high = LOW_ATTENUATION_HU
    values = hu[muscle]
    return float(np.mean((values >= low) & (values <= high))) if len(values) else math.nan


def skeletal_muscle_index(area_cm2: float, height_m: float) -> float:
    """Muscle area at L3 over height squared, cm²/m² (Prado et al. 2008).

    Raises:
        ValueError: the height is not positive.
    """
    if not height_m > 0:
        raise ValueError(f"height must be positive, got {height_m} m")
    return area_cm2 / height_m**2
