"""The patient table: thin shells of carbon fibre beneath the body."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.shapes import vector_length
from cl_seg.scans.store import Grid

Floats = npt.NDArray[np.floating[Any]]

CURVE_MM = 520.0  # radius of a curved table top (engineering value)
SHELL_MM = 2.4  # thickness of its carbon fibre (engineering value)
DENSITY = 1.15  # of the shells relative to water (engineering value)


def couch_fraction(shape: str, surface: Floats, grid: Grid) -> Floats:
    """Water-equivalent amount of a table under a body, (N, N).

    Args:
        shape: "curved", "flat" or "none".
        surface: signed distance to the skin in mm.
        grid: of the surface.
    """
    if shape == "none":
        return np.zeros_like(surface)
    axis = ((np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm).astype(np.float32)
    x, y = axis[None], axis[:, None]
    back = axis[np.flatnonzero((surface < 0).any(axis=1))[-1]] + 4
    if shape == "curved":
        top = np.abs(vector_length(x, y - (back - CURVE_MM)) - CURVE_MM) - SHELL_MM / 2
        below = np.abs(vector_length(x, y - (back - CURVE_MM + 26)) - CURVE_MM) - SHELL_MM / 2
        distance = np.minimum(np.maximum(top, np.abs(x) - 205), np.maximum(below, np.abs(x) - 165))
    else:
        rim = 14 * (x / 210) ** 4
        distance = np.maximum(np.abs(y - back + rim) - SHELL_MM / 2, np.abs(x) - 200)
    covered = np.clip(0.5 - distance / grid.spacing_mm, 0, 1) * (y > 0) * (surface > 0)
    amount: Floats = (DENSITY * covered).astype(np.float32)
    return amount
