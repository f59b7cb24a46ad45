"""Spleen, stomach, pancreas, kidneys and adrenals."""

import numpy as np

from cl_seg.phantom.anatomy.kidneys import adrenal, paint_kidney
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, wobble
from cl_seg.phantom.anatomy.trunk.back import PSOAS_SIZE, PSOAS_X
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import Solid, curved, cut, cut_tube, joined

SIDES = (-1, 1)


def spleen(trunk: Trunk, rng: Rng) -> None:
    """A crescent along the wall behind the stomach, large in some bodies."""
    canvas, k, half = trunk.canvas, trunk.body.scale, trunk.wall_half_width
    size = float(np.clip(rng.normal(1, 0.14), 0.65, 1.4)) * (1.35 if rng.random() < 0.08 else 1)
    top = trunk.habitus.left_dome - rng.uniform(2, 14)
    tall, uneven = 48 * size, 0.6 * canvas.field(rng, 7)
    place = (half - 46 * k + rng.normal(0, 4), trunk.middle + 28 + rng.normal(0, 8))
    solid = Solid(place, (44 * size * k, 58 * size * k), top - tall, tall, 0.42, 2.2,
                  wobble(rng, 0.05), lean=(0.0, 0.12))  # fmt: skip
    hollow = Ellipse(
        (place[0] - 54 * k, place[1] - 24), (44 * k, 52 * k), 0.4, 2, wobble(rng, 0.07)
    )
    shape = cut(trunk, solid) - canvas.ellipse(hollow)
    shape = shape.within(trunk.cavity_distance + 1.5 + trunk.habitus.ascites_mm)
    shape = shape.within(trunk.below + 2.0).grown(uneven)
    canvas.place(shape, {"spleen": 1.0}, 0, 0.8)


def stomach(trunk: Trunk, rng: Rng) -> None:
    """From the dome of the diaphragm to the pylorus, with food and gas; empty in some bodies."""
    canvas, k, half = trunk.canvas, trunk.body.scale, trunk.wall_half_width
    size, sag = float(np.clip(rng.normal(1.05, 0.2), 0.6, 1.5)) * k, rng.normal(0, 12)
    fundus = trunk.habitus.left_dome - 4
    x, y = 0.42 * half, trunk.middle
    path = curved([
        (x + 2, y + 18, fundus - 34 * size / k, 38 * size),
        (x + 6, y + 2, fundus - 44, 42 * size),
        (x + 4, y - 26, fundus - 72 + sag / 2, 33 * size),
        (0.3 * half, trunk.top + 56 * k, 78 + sag, 27 * size),
        (6 * k, trunk.top + 56 * k, 66 + sag, 20 * size),
        (-26 * k, trunk.top + 66 * k, 72 + sag / 2, 13 * size),
    ], 12)  # fmt: skip
    textures = canvas.field(rng, 4.5), canvas.field(rng, 2.0)
    wall = rng.uniform(2.5, 4.5) + np.clip(1.6 * textures[0], -1.5, 4)
    solid_food = np.clip(0.15 + 0.18 * textures[1] + 0.1 * textures[0], 0, 0.6)
    content = "oral_contrast" if trunk.preparation.oral_contrast else "fluid"
    level = trunk.top + rng.uniform(18, 95) * k
    tubes = cut_tube(trunk, path)
    if not tubes:
        return
    bag = joined(tubes).within(trunk.cavity_distance + 3).within(trunk.below + 2.5)
    bag = canvas.place(bag.grown(0.8 * textures[0]), {"bowel_wall": 1.0}, 0, 1.2)
    canvas.paint(bag.grown(-wall), {content: 1 - solid_food, "bowel_wall": solid_food})
    gas = bag.grown(-np.minimum(wall, 3.5)).within(canvas.above(level))
    canvas.paint(gas, {"air": 1.0})


def pancreas(trunk: Trunk, rng: Rng) -> None:
    """Head, body and tail, rising to the left, with the splenic vein behind them."""
    canvas, k, y = trunk.canvas, trunk.body.scale, trunk.spine_y - 54 * trunk.body.scale
    lift = rng.normal(0, 8)
    path = curved([
        (-30 * k, y + 8, 36 + lift, 12.0), (-26 * k, y + 6, 58 + lift, 13),
        (2 * k, y - 4, 72 + lift, 9), (34 * k, y - 2, 82 + lift, 9),
        (72 * k, y + 22, 98 + lift, 8),
    ])  # fmt: skip
    path[:, :2] += rng.normal(0, 3, 2)
    vein = path[len(path) // 2 - 2 :].copy()
    vein[:, 1] += 9
    vein[:, 3] = 3.8
    lobules = 2.0 * canvas.field(rng, 4) + 1.2 * canvas.field(rng, 2)
    fat = 0.08 + 0.003 * max(trunk.body.age - 30, 0) + 0.16 * canvas.field(rng, 2.2)
    fat = np.clip(fat, 0, 0.8)
    for tube in cut_tube(trunk, vein):
        canvas.place(tube, {"portal_vein": 1.0}, 0, 0.3)
    for tube in cut_tube(trunk, path):
        canvas.place(tube.grown(lobules), {"pancreas": 1 - fat, "adipose": fat}, 0, 0.3)


def kidneys(trunk: Trunk, rng: Rng) -> None:
    """Kidneys that lean on the psoas, in many bodies touching it, some with cysts."""
    k = trunk.body.scale
    for side, own in zip(SIDES, trunk.streams(rng, 2), strict=True):
        middle, tall = own.normal(50 if side < 0 else 62, 9), own.normal(55, 4)
        size, gap, place = own.normal(1, 0.06) * k, own.choice([0.2, 2.0, 8.0]), own.normal(0, 4, 2)
        there, outline = own.random() < 0.97, wobble(own, 0.03)
        above = (trunk.height - middle) / tall
        if not there or abs(above) >= 0.99:
            continue
        here = np.sqrt(1 - above**2)
        psoas = trunk.body.muscle_scale * max(trunk.along(PSOAS_SIZE), 0.3)
        x = (24 + trunk.along(PSOAS_X)) * k + 32 * psoas + 23 * size * here + gap
        y = trunk.spine_y - 8 + 12 * above + place[1]
        radii = (25 * size * here, 29 * size * here)
        section = Ellipse((side * (x - 2), y), radii, 0.5 * side, 2.1, outline)
        paint_kidney(trunk, own, section, side, abs(above) < 0.32, min(gap, 1.5))
        _cysts(trunk, own, (side * x, y, middle))


def _cysts(trunk: Trunk, rng: Rng, kidney: tuple[float, float, float]) -> None:
    x, y, middle = kidney
    for one in trunk.streams(rng, int(rng.integers(1, 4) * (rng.random() < 0.3))):
        turn, size = one.uniform(0, 2 * np.pi), 4 + one.gamma(2.0, 4.0)
        place = (x + 24 * np.cos(turn), y + 26 * np.sin(turn))
        cyst = Solid(place, (size, size), middle + one.uniform(-40, 40), size / trunk.body.scale)
        shape = cut(trunk, cyst).within(trunk.cavity_distance + 2)
        shape = shape.within(trunk.below + 3)
        free = trunk.canvas.place(shape, {"bowel_wall": 0.6, "fluid": 0.4}, 0, -8.0)
        trunk.canvas.paint(free.grown(-1), {"fluid": 1.0})


def adrenals(trunk: Trunk, rng: Rng) -> None:
    """Adrenals above the kidneys."""
    for side, own in zip(SIDES, trunk.streams(rng, 2), strict=True):
        if 84 < trunk.height < 118:
            adrenal(trunk, own, side)
