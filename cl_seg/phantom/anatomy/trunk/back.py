"""Muscles behind and beside the spine: the back, psoas, quadratus and the crura."""

import numpy as np

from cl_seg.phantom.anatomy.muscles import back_muscles
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, wobble
from cl_seg.phantom.anatomy.torso import MUSCLE
from cl_seg.phantom.anatomy.trunk.proportions import BACK_SIZE
from cl_seg.phantom.anatomy.trunk.section import Trunk

SIDES = (-1, 1)

# Size relative to L3, and the place of the middle, average man, from that at L3.
PSOAS_SIZE = {"T12": 0.0, "L1": 0.5, "L2": 0.78, "L3": 1.0, "L4": 1.1, "L5": 1.17, "S1": 1.1,
              "S2": 1.0}  # fmt: skip
PSOAS_X = {"L1": -2.0, "L2": -1, "L3": 0, "L4": 3, "L5": 9, "S1": 24, "S2": 40}
PSOAS_Y = {"L1": 5.0, "L2": 3, "L3": 0, "L4": -4, "L5": -12, "S1": -28, "S2": -46}
PSOAS_DEPTH = {"L3": 1.0, "L5": 0.85, "S1": 0.74, "S2": 0.8}
QUADRATUS_SIZE = {"T12": 0.0, "L1": 0.7, "L2": 0.88, "L3": 1.0, "L4": 1.0, "L5": 0.0}
CRURA = {"L3": 0.0, "L2": 0.6, "L1": 0.95, "T12": 1.0, "T11": 0.85, "T10": 0.4, "T9": 0.0}


def back(trunk: Trunk, rng: Rng) -> None:
    """Erector spinae and multifidus."""
    back_muscles(trunk, rng, *(trunk.along(table) for table in BACK_SIZE))


def psoas(trunk: Trunk, rng: Rng) -> None:
    """Psoas beside the vertebral bodies, leaving them for the pelvis."""
    canvas, k, here = trunk.canvas, trunk.body.scale, trunk.along(PSOAS_SIZE)
    rough = 0.6 * canvas.field(rng, 4)
    for side in SIDES:
        size = trunk.body.muscle_scale * rng.normal(1, 0.05) * here
        outline = wobble(rng, 0.05)
        x = 20 * k + 20 * size + trunk.along(PSOAS_X) * k
        ellipse = Ellipse(
            (side * x, trunk.spine_y + 1 + trunk.along(PSOAS_Y)),
            (19.5 * size, 26 * size * trunk.along(PSOAS_DEPTH)), -0.25 * side, wobble=outline,
        )  # fmt: skip
        if here > 0.1:
            canvas.place(canvas.ellipse(ellipse).grown(rough), trunk.muscle, MUSCLE, 0.8)


def quadratus(trunk: Trunk, rng: Rng) -> None:
    """Quadratus lumborum between the last rib and the iliac crest."""
    canvas, k, here = trunk.canvas, trunk.body.scale, trunk.along(QUADRATUS_SIZE)
    rough = 0.6 * canvas.field(rng, 4)
    for side in SIDES:
        size = trunk.body.muscle_scale * rng.normal(1, 0.05) * here
        outline = wobble(rng, 0.06)
        ellipse = Ellipse(
            (side * (34 * k + 36 * size), trunk.spine_y + 21), (27 * size, 9.5 * size), 0.3 * side,
            wobble=outline,
        )  # fmt: skip
        if here > 0.15:
            shape = canvas.ellipse(ellipse).grown(rough).within(trunk.wall_distance + 2.5)
            canvas.place(shape, trunk.muscle, MUSCLE, 0.9 + 6 * trunk.body.muscle_fat)


def crura(trunk: Trunk, rng: Rng) -> None:
    """Crura of the diaphragm beside the aorta; in the chest they meet before it."""
    canvas, k, here = trunk.canvas, trunk.body.scale, trunk.along(CRURA)
    y, uneven = trunk.spine_y - 16 * k, 0.5 * canvas.field(rng, 5)
    front = float(np.clip((trunk.height - 80) / 30, 0, 1))
    for side in SIDES:
        thick = rng.normal(3.8, 0.5) * here
        path = np.array([
            (side * 27 * k, y + 26, 0.7 * thick),
            (side * 24 * k, y + 8, thick),
            (side * 20 * k, y - 8, 1.2 * thick),
            (side * (12 + 4 * front) * k, y - 24, 0.9 * thick),
            (side * (12 - 6 * front) * k, y - 24 - 14 * front, 0.7 * thick),
        ])  # fmt: skip
        if here > 0.1:
            canvas.place(canvas.tube(path).grown(uneven), trunk.muscle, MUSCLE, 0.3)
