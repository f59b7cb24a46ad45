"""Ribs, their cartilage and the end of the sternum."""

import numpy as np

from cl_seg.phantom.anatomy.shapes import Ellipse, Rng
from cl_seg.phantom.anatomy.trunk.section import Trunk

SIDES = (-1, 1)
SLOPE = 1.05  # mm that a rib falls per degree, from the spine to the front
HEAD, TOP = 165.0, 296.0  # angle of a rib's head; height of that of the fourth
# Ribs 4 to 12: height of the head above that of the next lower, and the angle of the front end.
SPACING = (23, 24, 24, 24, 25, 26, 27, 28)
ENDS = (25, 27, 30, 34, 42, 50, 62, 108, 128)
CARTILAGE: dict[str, float] = {"bone": 0.05, "skin": 0.95}
MARGIN = {"L2": 92.0, "L1": 72, "T12": 54, "T11": 40, "T10": 29, "T9": 19}  # of the ribs in front


def ribs(trunk: Trunk, rng: Rng) -> None:
    """Ribs, cut obliquely where they pass through the slice, and their cartilage."""
    heads = TOP - np.concatenate([[0], np.cumsum(SPACING)]) + rng.normal(0, 3)
    for side in SIDES:
        for head, end in zip(heads, ENDS, strict=True):
            jitter, length, thick, cortex = rng.normal(0, 3), rng.uniform(8, 16), *rng.random(2)
            angle = HEAD - (head - trunk.height) / SLOPE + jitter
            if end < angle < HEAD + 4:
                _rib(trunk, side, (angle, length), 2.9 + 0.9 * thick, 0.5 + 0.5 * cortex)
        for step in (0, 17, 34):
            jitter, old = rng.normal(0, 3), rng.random()
            angle = trunk.along(MARGIN) + step + jitter
            if trunk.height > 55 and angle < 82 - step:
                _cartilage(trunk, side, angle, old)
    if trunk.height > 158:
        _sternum(trunk)


def _rib(trunk: Trunk, side: int, place: tuple[float, float], thick: float, cortex: float) -> None:
    canvas, (angle, length) = trunk.canvas, place
    mineral = float(np.clip(0.8 * trunk.body.mineral, 0.03, 0.2))
    turns = angle + np.linspace(-0.5, 0.5, 5) * length
    points = [(*trunk.inside_cavity(side * turn, -3.4), thick) for turn in turns]
    rib = canvas.tube(np.array(points))
    canvas.paint(rib, {"bone": 0.5, "marrow": 0.5})
    canvas.paint(rib.grown(-cortex), {"bone": mineral, "marrow": 1 - mineral})
    canvas.occupy(rib.grown(-0.6))


def _cartilage(trunk: Trunk, side: int, angle: float, old: float) -> None:
    canvas = trunk.canvas
    points = [(*trunk.inside_wall(side * (angle + turn), -1.5), 4.2) for turn in (-5, 0, 5)]
    cartilage = canvas.tube(np.array(points))
    canvas.paint(cartilage, dict(CARTILAGE))
    if old < (trunk.body.age - 40) / 60:
        canvas.paint(cartilage.grown(-2.6), {"bone": 0.22, "skin": 0.78})
    canvas.occupy(cartilage)


def _sternum(trunk: Trunk) -> None:
    k, (x, y) = trunk.body.scale, trunk.inside_wall(0, 0)
    bone = trunk.canvas.ellipse(Ellipse((x, y), (15 * k, 5.5 * k), power=2.5))
    trunk.canvas.paint(bone, {"bone": 0.4, "marrow": 0.6})
    trunk.canvas.paint(bone.grown(-1.2), {"bone": 0.1, "marrow": 0.9})
    trunk.canvas.occupy(bone)
