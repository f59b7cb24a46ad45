"""Veins of the liver in three dimensions."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.shapes import Rng, Shape
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import cut_tube

STEP_MM = 9.0
Direction = npt.NDArray[np.float64]  # of unit length: x, y, upwards


def hepatic_veins(trunk: Trunk, rng: Rng) -> Iterator[tuple[Shape, str]]:
    """Three veins that meet the vena cava below the dome."""
    k = trunk.body.scale
    root = (-26 * k, trunk.spine_y - 46 * k, trunk.habitus.right_dome - rng.uniform(16, 26))
    for x, y in ((-0.95, 0.1), (-0.45, -0.75), (0.3, -0.85)):
        heading = np.array([x, y, -0.55]) + rng.normal(0, 0.12, 3)
        for vessel in _tree(trunk, rng, root, heading, 6.0):
            yield vessel, "vein"


def portal_veins(trunk: Trunk, rng: Rng) -> Iterator[tuple[Shape, str]]:
    """The branches of the portal vein from the hilum, upwards and downwards."""
    k = trunk.body.scale
    root = (-22 * k, trunk.middle + 4, trunk.habitus.right_dome - rng.uniform(62, 78))
    for x, y, z in ((-0.9, 0.3, 0.25), (-0.9, 0.25, -0.4), (-0.5, -0.7, 0.3), (0.45, -0.8, 0.35)):
        heading = np.array([x, y, z]) + rng.normal(0, 0.15, 3)
        for vessel in _tree(trunk, rng, root, heading, 5.6):
            yield vessel, "portal_vein"


def _tree(
    trunk: Trunk, rng: Rng, root: tuple[float, float, float], heading: Direction, radius: float,
    depth: int = 0,
) -> Iterator[Shape]:  # fmt: skip
    """A tapering vessel that winds and forks."""
    path = [(*root, radius)]
    for turn in rng.normal(0, 0.2, (int(rng.integers(6, 12)), 3)):
        heading = heading + turn
        x, y, height = STEP_MM * heading / np.linalg.norm(heading) + path[-1][:3]
        path.append((float(x), float(y), float(height), 0.92 * path[-1][3]))
    yield from cut_tube(trunk, np.array(path))
    if depth < 2:
        for at, side in zip(rng.integers(1, len(path), 3), rng.normal(0, 1, (3, 3)), strict=True):
            x, y, height, wide = path[at]
            yield from _tree(
                trunk, rng, (x, y, height), heading + 0.8 * side, 0.7 * wide, depth + 1
            )
