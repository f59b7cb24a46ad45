"""Where the diaphragm lies.

Along the wall, the lungs reach lower behind and beside the diaphragm than in front. From this
recess up, each half of the diaphragm leaves the wall as a quarter of an ellipse, up to the top of
its dome.
"""

import numpy as np

from cl_seg.phantom.anatomy.contours import ABS_ANGLES, ANGLES
from cl_seg.phantom.anatomy.field import Floats, Samples
from cl_seg.phantom.anatomy.shapes import Shape
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import Solid, cut

# Lowest height of the lungs over the angle from the anterior midline.
RECESS_ANGLES, RECESS_HEIGHTS = (0, 30, 60, 90, 120, 150, 180), (148, 132, 108, 90, 78, 70, 72)
DEPTH_MM = 54.0  # from the wall to below the top of a dome
RISE_MM = 20.0  # at least, of the diaphragm from the wall to the top of its dome
DOME_START = 95.0  # below, the domes fill the whole cavity
ROUND_MM = 26.0  # over which the sides of a dome go over into each other


def below_the_diaphragm(trunk: Trunk) -> Samples:
    """Signed distance to the part of the cavity that lies below the diaphragm."""
    gap = trunk.body.scale * _gap_mm(trunk)
    cavity = trunk.cavity_distance.on(trunk.canvas.everywhere)
    if not gap.any():
        return Samples(cavity)
    inset = cavity + per_height(gap, trunk.degrees.on(trunk.canvas.everywhere))
    domes = _dome(trunk, -1) | _dome(trunk, 1)
    rounded = ROUND_MM * float(np.clip((trunk.height - 115) / 30, 0, 1))
    return Samples(smooth_largest(inset, domes.on(trunk.canvas.everywhere), rounded))


def smooth_largest(one: Floats, other: Floats, rounded: float) -> Floats:
    """The larger of two distances, without an edge where they are equal."""
    largest: Floats = (one + other + np.sqrt((one - other) ** 2 + np.float32(rounded) ** 2)) / 2
    return largest


def _tops(trunk: Trunk) -> tuple[float, float]:
    return trunk.habitus.right_dome, trunk.habitus.left_dome


def _gap_mm(trunk: Trunk) -> Floats:
    """Distance between wall and diaphragm over ``ANGLES``, (heights, 721)."""
    top = np.where(ANGLES < 0, *_tops(trunk))
    start = np.interp(ABS_ANGLES, RECESS_ANGLES, RECESS_HEIGHTS) - trunk.habitus.recess
    start = np.minimum(start, top - RISE_MM)
    risen = np.clip((trunk.heights[:, :, 0] - start) / (top - start), 0, 1)
    gap: Floats = DEPTH_MM * (1 - np.sqrt(1 - risen**2))
    return gap


def _dome(trunk: Trunk, side: int) -> Shape:
    """The part of the cavity below one half of the diaphragm, which narrows upwards."""
    top, half = _tops(trunk)[side > 0], trunk.wall_half_width
    depth = trunk.bottom - trunk.top
    solid = Solid(
        (0.46 * side * half, trunk.middle - 6), (0.86 * half, 0.74 * depth), DOME_START,
        top - DOME_START, end_power=2.0,
    )  # fmt: skip
    if trunk.height < DOME_START:  # a cylinder
        solid = Solid(solid.centre, solid.radii, trunk.height, 100.0, end_power=8.0)
    return cut(trunk, solid)


def per_height(curves: Floats, degrees: Floats) -> Floats:
    """Curves (heights, 721) over ``ANGLES`` at the angles (heights, R, C) of pixels."""
    place = (degrees - np.float32(ANGLES[0])) / np.float32(ANGLES[1] - ANGLES[0])
    nearest = np.rint(place).astype(np.intp)
    return np.stack([
        curve.astype(np.float32).take(at) for curve, at in zip(curves, nearest, strict=True)
    ])  # fmt: skip
