"""Heart, oesophagus and the fat about them between the lungs."""

import numpy as np

from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, Shape, wobble
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import Solid, cut, cut_tube

MYOCARDIUM = {"muscle": 0.7, "artery": 0.3}
LOWEST = 110.0  # height of the lowest fat between the lungs

# Chambers: x, y from the middle of the heart, half axes, rotation, blood (engineering values).
CHAMBERS = (
    (26.0, 8.0, 25.0, 18.0, -0.6, "artery"),  # left ventricle
    (-4.0, -19.0, 36.0, 17.0, -0.3, "vein"),  # right ventricle
    (-40.0, 6.0, 20.0, 25.0, 0.1, "vein"),  # right atrium
)


def heart(trunk: Trunk, rng: Rng) -> None:
    """Heart in its fat, and the fat behind the sternum and before the spine."""
    canvas, k = trunk.canvas, trunk.body.scale
    size = k * rng.normal(1, 0.07)
    x, y = rng.normal(23, 5) * k, trunk.top + rng.normal(66, 4) * k
    middle, outline = trunk.habitus.right_dome + rng.normal(31, 4), wobble(rng, 0.03)
    fat_mm = rng.uniform(3, 11) + 2.5 * canvas.field(rng, 12)
    if trunk.height < LOWEST:
        return
    whole = Solid((x, y), (68 * size, 50 * size), middle, 55, -0.45, 2.2, outline)
    chest = -trunk.below - 1.0  # above the diaphragm
    shape = cut(trunk, whole).within(trunk.cavity_distance + 6)
    fat = (shape.grown(fat_mm) | _before_and_behind(trunk)).within(chest)
    fat = fat.within(trunk.cavity_distance).within(0.3 - canvas.occupied)
    canvas.paint(fat, {"adipose": 0.97, "muscle": 0.03})
    canvas.occupy(fat)
    shape = shape.within(chest + 2)
    canvas.paint(shape, dict(MYOCARDIUM))
    for dx, dy, a, b, angle, blood in CHAMBERS:
        place = (x + size * dx, y + size * dy)
        chamber = Solid(place, (size * a, size * b), middle + 4, 46, angle, 2.2, outline)
        canvas.paint(cut(trunk, chamber) & shape.grown(-4), {blood: 1.0})


def _before_and_behind(trunk: Trunk) -> Shape:
    k, y = trunk.body.scale, trunk.spine_y
    behind = Ellipse((6 * k, y - 24 * k), (20 * k, 27 * k), power=2.4)
    before = Ellipse((10 * k, trunk.top + 12 * k), (40 * k, 17 * k), 0.1)
    return trunk.canvas.ellipse(behind) | trunk.canvas.ellipse(before)


def oesophagus(trunk: Trunk, rng: Rng) -> None:
    """A tube before the aorta, which turns to the left into the stomach."""
    k, y = trunk.body.scale, trunk.spine_y
    gas = rng.random() < 0.3
    shift = rng.normal(0, 3)
    points = [
        ((7 + shift) * k, y - 42 * k, 215.0, 8.0),
        ((10 + shift) * k, y - 44 * k, 155.0, 8.5),
        (24 * k, y - 52 * k, 132.0, 8.5),
        (44 * k, y - 58 * k, 120.0, 9.0),
    ]
    for tube in cut_tube(trunk, np.array(points)):
        free = trunk.canvas.place(tube, {"bowel_wall": 0.85, "adipose": 0.15}, 0, 0.3)
        if gas:
            trunk.canvas.paint(free.grown(-4.5), {"air": 0.8, "fluid": 0.2})
