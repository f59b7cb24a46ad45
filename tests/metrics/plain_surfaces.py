"""Surface scores of one structure on one slice, written down plainly with maps of distances."""

import math

import numpy as np
from scipy import ndimage


def contour(mask: np.ndarray) -> np.ndarray:
    """Pixels that an erosion takes away."""
    return mask & ~ndimage.binary_erosion(mask)


def directed_distances(of: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Distances in pixels of a contour's pixels to another contour, read off a map of them."""
    return ndimage.distance_transform_edt(~to)[of]


def surface_dice(pairs: list[tuple[np.ndarray, np.ndarray]], mm: float, tolerance: float) -> float:
    """Share of the contours of some slices that lie within a tolerance of each other."""
    within = total = 0
    for found, true in pairs:
        borders = contour(found), contour(true)
        total += sum(int(border.sum()) for border in borders)
        if found.any() and true.any():
            for of, to in (borders, borders[::-1]):
                within += int((directed_distances(of, to) * mm <= tolerance).sum())
    return within / total if total else math.nan


def surface_scores(found: np.ndarray, true: np.ndarray, mm: float) -> tuple[float, float]:
    """HD95 and ASSD in mm."""
    if not found.any() and not true.any():
        return math.nan, math.nan
    if found.any() != true.any():
        return (mm * math.hypot(*true.shape),) * 2
    borders = contour(found), contour(true)
    pair = [directed_distances(*borders) * mm, directed_distances(*borders[::-1]) * mm]
    return max(np.percentile(one, 95) for one in pair), np.concatenate(pair).mean()
