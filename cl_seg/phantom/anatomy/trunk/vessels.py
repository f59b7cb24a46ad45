"""Aorta and vena cava with their branches in the pelvis, and the vessels of the mesentery."""

import numpy as np

from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, wobble
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import cut_tube
from cl_seg.phantom.anatomy.vessels import mesenteric_root, mesentery, paint_aorta

SIDES = (-1, 1)
AORTA_X = {"T8": 21.0, "T9": 19, "T10": 16, "T11": 11, "T12": 6, "L3": 8, "L4": 6}
AORTA_Y = {"T8": 0.45, "T9": 0.5, "T10": 0.65, "T11": 0.9, "T12": 1.0}  # of what lies before L3
CAVA_X = {"T9": -28.0, "T12": -28, "L1": -24, "L3": -17, "L5": -14}
CAVA_Y = {"T9": -58.0, "T11": -48, "T12": -38, "L1": -30, "L3": -26, "L5": -24}

IN_HEART = 16.0  # height above the dome at which the vena cava has reached the heart


def aorta(trunk: Trunk, rng: Rng) -> None:
    """Aorta, wider in the chest and calcified with age, down to its fork."""
    k, y = trunk.body.scale, trunk.spine_y
    wide = (9.3 if trunk.body.male else 8.0) * rng.normal(1, 0.09)
    wide *= 1 + 0.003 * (trunk.body.age - 60)
    radius = wide * float(np.interp(trunk.height, [-20, 100, 180], [1.0, 1.18, 1.3]))
    fork, shift = rng.normal(-40, 7), rng.normal(0, 3)
    x = trunk.along(AORTA_X) * k + shift
    before = 18.5 * k * trunk.along(AORTA_Y) + radius
    if trunk.height > fork:
        paint_aorta(trunk, rng, (x, y - before), radius)
    else:
        _iliac(trunk, rng, "artery", (fork, 0.62 * wide))


def _iliac(trunk: Trunk, rng: Rng, tissue: str, start: tuple[float, float]) -> None:
    """Iliac vessels, along the inner edge of the psoas; each forks at the sacrum."""
    k, (fork, radius) = trunk.body.scale, start
    back = 4.0 if tissue == "artery" else 14.0
    down = float(np.clip((fork - trunk.height) / (fork + 105), 0, 1.3))
    for side in SIDES:
        x, y = side * (9 + 32 * down) * k, trunk.spine_y - (30 - 6 * down) * k + back
        places = [(x, y)]
        if down > 0.95:  # external and internal
            places = [(x + 8 * side, y - 24), (x - 2 * side, y + 10)]
        for place in places:
            vessel = Ellipse(place, (radius, 0.9 * radius), rng.uniform(0, 3), 2, wobble(rng, 0.04))
            trunk.canvas.place(trunk.canvas.ellipse(vessel), {tissue: 1.0}, 0, 0.4)


def vena_cava(trunk: Trunk, rng: Rng) -> None:
    """Vena cava from the iliac veins, behind the liver, to the heart."""
    k, y = trunk.body.scale, trunk.spine_y
    a, b = rng.normal(12.5, 1.5) * k, rng.normal(9.5, 1.5) * k
    outline, turn = wobble(rng, 0.04), rng.uniform(-0.3, 0.3)
    if trunk.height < -56:
        _iliac(trunk, rng, "vein", (-52, 6.2 * k))
        return
    if trunk.height > trunk.habitus.right_dome + IN_HEART:
        return
    place = (trunk.along(CAVA_X) * k, y + trunk.along(CAVA_Y) * k)
    cava = trunk.canvas.ellipse(Ellipse(place, (a, b), turn, 2, outline))
    trunk.canvas.paint(cava.grown(1.0), {"adipose": 1.0})
    trunk.canvas.paint(cava, {"vein": 1.0})
    trunk.canvas.occupy(cava)


def portal_vein(trunk: Trunk, rng: Rng) -> None:
    """From behind the neck of the pancreas to the hilum of the liver."""
    k, hilum = trunk.body.scale, trunk.habitus.right_dome - 70
    y = trunk.spine_y - 62 * k + rng.normal(0, 3)
    path = np.array([(-4 * k, y + 4, 66.0, 6.5), (-12 * k, y, 84, 6.5),
                     (-24 * k, trunk.middle + 6, hilum, 6.0)])  # fmt: skip
    for tube in cut_tube(trunk, path):
        trunk.canvas.place(tube, {"portal_vein": 1.0}, 0, 0.4)


def mesenteric_vessels(trunk: Trunk, rng: Rng) -> None:
    """The root of the mesentery."""
    if -30 < trunk.height < 64:
        mesenteric_root(trunk, rng)


def mesenteric_branches(trunk: Trunk, rng: Rng) -> None:
    """Vessels between the loops of bowel."""
    if trunk.height < 80:
        mesentery(trunk, rng)
