"""The sheet of the diaphragm, and the lungs above it."""

import numpy as np

from cl_seg.phantom.anatomy.field import largest
from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.phantom.anatomy.torso import MUSCLE
from cl_seg.phantom.anatomy.trunk.section import Trunk

SIDES = (-1, 1)
TENDON_MM = 30.0  # from the wall: farther in, the diaphragm is a tendon too thin to be seen
BOTTOM = 45.0  # lowest height of the diaphragm's muscle along the wall
SOLID = 0.9  # of the densest part of a lung


def diaphragm(trunk: Trunk, rng: Rng) -> None:
    """A sheet of muscle along the ribs, which leaves the wall below the lungs."""
    canvas = trunk.canvas
    thick = np.clip(2.0 + 0.6 * canvas.field(rng, 12), 1.0, 3.5)
    thick = thick * float(np.clip((trunk.height - BOTTOM) / 25, 0, 1))
    if trunk.height < BOTTOM:
        return
    below = trunk.below
    side = np.abs(trunk.degrees)
    tendon = -(trunk.cavity_distance + TENDON_MM)
    sheet = largest(below, -(below + thick), tendon, side - 158, 22 - side)
    canvas.paint(canvas.shape(sheet), trunk.muscle, MUSCLE)


def lungs(trunk: Trunk, rng: Rng) -> None:
    """Lungs with their vessels, denser behind; fluid behind them in some bodies."""
    canvas = trunk.canvas
    dense = np.clip(0.10 + 0.04 * canvas.field(rng, 2.0), 0.04, 0.5)
    vessels = 0.8 * np.clip(2.0 * (canvas.field(rng, 2.6) - 1.55), 0, 1)
    collapsed = rng.uniform(0.1, 0.5) * np.clip(1 + 0.5 * canvas.field(rng, 6), 0, 2)
    behind = np.clip(1 + trunk.cavity_distance / 12, 0, 1) * (trunk.canvas.y > trunk.middle)
    soft = np.clip(dense + vessels + collapsed * behind, 0, SOLID)
    chest = canvas.shape(largest(trunk.cavity_distance + 0.6, 0.5 - trunk.below))
    lung = chest.within(1.0 - canvas.occupied)
    canvas.paint(lung, {"air": 1 - soft, "vein": 0.6 * soft, "muscle": 0.4 * soft}, 0)
    for side, depth in zip(SIDES, trunk.habitus.effusion_mm, strict=True):
        level = trunk.bottom - 40 * trunk.body.scale - depth
        if depth:
            fluid = lung.within(largest(-canvas.above(level), -side * canvas.x))
            canvas.paint(fluid, {"fluid": 1.0}, 0)
    canvas.occupy(lung.grown(-0.3))
