"""Work a proposal leaves to a person: contour to draw and area to correct."""

import numpy as np

from cl_seg.metrics.body_composition import area_cm2
from cl_seg.metrics.contours import Mask, contour


def added_path_length(proposal: Mask, truth: Mask, spacing_mm: float) -> float:
    """Length in mm of the true contour that a proposal's contour does not cover.

    Pixels of the true contour that are not on the proposal's, times the pixel size (Vaassen et al.
    2020, doi 10.1016/j.phro.2019.12.001); 0 for a proposal that needs no correction, the whole
    contour for an empty one. A structure that is only proposed has no contour to draw: its cost is
    in :func:`area_to_correct`.

    Args:
        proposal: (H, W) bool.
        truth: (H, W) bool.
        spacing_mm: pixel size in mm.
    """
    return float(np.count_nonzero(contour(truth) & ~contour(proposal))) * spacing_mm


def area_to_correct(proposal: Mask, truth: Mask, spacing_mm: float) -> float:
    """Area in cm² that a person has to add or take away.

    Args:
        proposal: bool of any shape.
        truth: bool of the same shape.
        spacing_mm: pixel size in mm.
    """
    return area_cm2(int(np.count_nonzero(proposal ^ truth)), spacing_mm)
