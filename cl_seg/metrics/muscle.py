"""Areas of a segmented structure, as body composition reports them."""

import math


def area_cm2(pixels: float, mm: float) -> float:
    """Area in cm² of so many pixels of ``mm`` by ``mm``."""
    return pixels * mm * mm / 100


def area_error_percent(predicted: float, true: float) -> float:
    """100 · (predicted − true) / true of two areas in any unit; NaN where there is none."""
    return 100 * (predicted - true) / true if true else math.nan
