"""A level of a body, painted organ by organ."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy import (
    bowel,
    kidneys,
    liver,
    muscles,
    skeleton,
    upper_organs,
    vessels,
    wall,
)
from cl_seg.phantom.anatomy.body import Body
from cl_seg.phantom.anatomy.canvas import Rng
from cl_seg.phantom.anatomy.torso import Torso, lay_out
from cl_seg.scans.store import Grid

CLASSES = ["muscle", "liver"]
CANVAS = Grid(600, 0.75)

# In the order of painting: later organs cover earlier ones.
PAINTERS: dict[str, tuple[Callable[[Torso, Rng], None], ...]] = {
    "L3": (
        wall.skin_and_fat,
        wall.cavity_fat,
        wall.lumbar_wall,
        muscles.back,
        muscles.psoas_and_quadratus,
        skeleton.lumbar_vertebra,
        kidneys.lumbar_kidneys,
        liver.liver_tip,
        vessels.mesentery,
        bowel.small_bowel,
        bowel.colon,
        vessels.lumbar_vessels,
    ),
    "liver": (
        wall.skin_and_fat,
        wall.cavity_fat,
        wall.thoracic_wall,
        muscles.back,
        muscles.crura,
        skeleton.thoracic_vertebra,
        liver.liver,
        liver.gallbladder,
        upper_organs.spleen,
        upper_organs.stomach,
        kidneys.upper_kidneys,
        vessels.upper_vessels,
        upper_organs.pancreas,
        upper_organs.splenic_flexure,
        skeleton.ribs,
    ),
}
LEVELS = tuple(PAINTERS)


@dataclass(frozen=True)
class Anatomy:
    """One level of a body.

    Attributes:
        grid: of the arrays.
        fractions: (17, N, N) tissue fractions in the order of ``tissues.TISSUES``.
        labels: (N, N) uint8: 1 muscle, 2 liver.
        surface: (N, N) signed distance to the skin in mm.
    """

    grid: Grid
    fractions: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    surface: npt.NDArray[np.float32]


def paint(body: Body, level: str, grid: Grid = CANVAS) -> Anatomy:
    """Paint one level ("L3" or "liver") of a body; the grid changes sampling, not the body."""
    torso = lay_out(body, level, grid)
    for painter in PAINTERS[level]:
        painter(torso, body.stream(level, painter.__name__))
    return Anatomy(grid, torso.canvas.fractions, torso.canvas.labels, torso.skin)
