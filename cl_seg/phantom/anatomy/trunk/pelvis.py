"""Iliac bones with the iliacus before them, and the sacrum."""

import numpy as np

from cl_seg.phantom.anatomy.field import largest
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, wobble
from cl_seg.phantom.anatomy.skeleton import spongy_bone
from cl_seg.phantom.anatomy.torso import MUSCLE
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.spine import SACRUM

SIDES = (-1, 1)
CREST = -40.0  # height of the top of the iliac bones
# Angles between which the iliac bones lie, and the thickness of the iliacus in mm.
FRONT = {"S2": 76.0, "S1": 72, "L5": 92, "L4": 118}
BACK = {"S2": 166.0, "S1": 158, "L5": 138, "L4": 112}
ILIACUS = {"S2": 22.0, "S1": 17, "L5": 9, "L4": 0}
JOINT = {"S2": 0.26, "S1": 0.22, "L5": 0.08}  # mm per degree that they thicken to the sacrum
ALA_X = {"S2": 32.0, "S1": 42}


def iliac_bones(trunk: Trunk, rng: Rng) -> None:
    """Blades inside the gluteal muscles, thicker behind, and the iliacus in their hollow."""
    canvas, side, scale = trunk.canvas, np.abs(trunk.degrees), trunk.body.muscle_scale
    uneven, spongy = 0.8 * canvas.field(rng, 9), spongy_bone(trunk, rng)
    lift = rng.normal(0, 5)
    if trunk.height > CREST + lift:
        return
    front, back = trunk.along(FRONT), trunk.along(BACK)
    depth = trunk.wall_distance + trunk.wall_mm  # below the inside of the wall
    thick = 6 + trunk.along(JOINT) * np.clip(side - 110, 0, 60) + uneven
    ends = largest(2.3 * (front - side), 2.3 * (side - back))
    blade = canvas.shape(largest(depth, -(depth + thick), ends))
    muscle_mm = trunk.along(ILIACUS) * scale
    hollow = largest(2.3 * (front + 4 - side), 2.3 * (side - back + 22))
    iliacus = largest(depth + thick + 0.4, -(depth + thick + muscle_mm + uneven), hollow)
    if muscle_mm > 1:
        shape = canvas.place(canvas.shape(iliacus), trunk.muscle, MUSCLE, 0.0)
        canvas.occupy(shape)
    canvas.paint(blade, {"bone": 0.62, "marrow": 0.38})
    canvas.paint(blade.grown(-1.3), spongy)
    canvas.occupy(blade)


def sacrum(trunk: Trunk, rng: Rng) -> None:
    """Body and wings, with the canal, the crest and the foramina."""
    canvas, k, y = trunk.canvas, trunk.body.scale * rng.normal(1, 0.03), trunk.spine_y
    rough, spongy = 0.8 * canvas.field(rng, 5), spongy_bone(trunk, rng)
    outline = wobble(rng, 0.03)
    if trunk.height >= SACRUM:
        return
    bone = canvas.ellipse(Ellipse((0, y), (26 * k, 16 * k), 0, 2.4, outline))
    for side in SIDES:
        wing = Ellipse((side * trunk.along(ALA_X) * k, y + 13 * k), (29 * k, 17 * k), 0.45 * side,
                       2.3, outline)  # fmt: skip
        bone = bone | canvas.ellipse(wing)
    crest = canvas.ellipse(Ellipse((0, y + 34 * k), (7 * k, 12 * k)))
    bone = (bone | crest).grown(rough)
    canvas.paint(bone, {"bone": 0.5, "marrow": 0.5})
    canvas.paint(bone.grown(-1.1), spongy)
    canvas.occupy(bone.grown(0.5))
    canal = canvas.ellipse(Ellipse((0, y + 22 * k), (13 * k, 6.5 * k), power=1.6))
    canvas.paint(canal, {"adipose": 0.8, "csf": 0.2})
    for side in SIDES:
        foramen = canvas.ellipse(Ellipse((side * 19 * k, y + 11 * k), (5 * k, 6 * k)))
        canvas.paint(foramen, {"adipose": 1.0})
        canvas.paint(foramen.grown(-2.4), {"csf": 0.7, "adipose": 0.3})
