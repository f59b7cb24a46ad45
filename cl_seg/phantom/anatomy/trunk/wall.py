"""The muscular wall of the trunk: recti, lateral layers, chest wall and gluteal muscles."""

import numpy as np

from cl_seg.phantom.anatomy.field import Field, largest
from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.phantom.anatomy.torso import MUSCLE
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.wall import FASCIA

# Angle from the anterior midline at which the muscles of the wall end.
END = {"S2": 176.0, "S1": 172, "L5": 150, "L4": 128, "L3": 126, "L2": 132, "L1": 142, "T12": 152,
       "T11": 160, "T10": 168, "T9": 174}  # fmt: skip
# Depth and width of the fat between layers, relative to the lateral wall of L3.
INNER_PLANE = {"L5": 0.8, "L4": 1.0, "L2": 1.0, "L1": 0.5, "T12": 0.0, "S1": 0.0}
OUTER_PLANE = {"S2": 1.8, "S1": 1.6, "L5": 1.0, "L2": 1.0, "L1": 1.3, "T12": 1.7, "T9": 2.2}


def muscular_wall(trunk: Trunk, rng: Rng) -> None:
    """Muscles along the wall with the fat between their layers."""
    canvas, side, end = trunk.canvas, np.abs(trunk.degrees), trunk.along(END)
    rough = 0.5 * canvas.field(rng, 5)
    ring = largest(trunk.wall_distance, -(trunk.wall_distance + trunk.wall_mm + rough))
    canvas.paint(canvas.shape(ring), FASCIA)
    wide = 0.02 * trunk.body.vat_cm2 * np.clip(1 + 0.3 * canvas.field(rng, 15), 0.3, 2)
    alba = 2.0 + wide * float(np.clip(1 - (trunk.height - 20) / 60, 0, 1))
    bare = 2.4 - trunk.wall_mm  # aponeurosis without muscle
    muscle = largest(ring, alba - np.abs(canvas.x), bare, 2 * (side - end))
    canvas.paint(canvas.shape(muscle), trunk.muscle, MUSCLE)
    for depth, table in ((0.40, OUTER_PLANE), (0.72, INNER_PLANE)):
        uneven = np.clip(0.9 + 0.7 * canvas.field(rng, 16), 0.1, 2.5)
        _plane(trunk, depth + 0.03 * canvas.field(rng, 20), uneven * trunk.along(table))


def _plane(trunk: Trunk, depth: Field, wide: Field) -> None:
    """Fat between two layers of muscle."""
    side, end, fat = np.abs(trunk.degrees), trunk.along(END), trunk.body.muscle_fat
    thickness = (0.3 + 10 * fat) * wide * np.clip(trunk.wall_mm / 14, 0.2, 1.3)
    plane = np.abs(trunk.wall_distance + depth * trunk.wall_mm) - thickness / 2
    plane = largest(plane, 33 - side, side - end + 10, 0.3 - thickness)
    trunk.canvas.paint(trunk.canvas.shape(plane), {"adipose": 0.75, "muscle": 0.25}, MUSCLE)
