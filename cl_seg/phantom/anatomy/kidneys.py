"""Kidneys with pyramids, sinus and vessels, in their fat and fascia."""

import numpy as np

from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, Shape, wobble
from cl_seg.phantom.anatomy.torso import Torso


def lumbar_kidneys(torso: Torso, rng: Rng) -> None:
    """Lower halves of the kidneys, beside the psoas; the left one often ends higher."""
    k = torso.body.scale
    for side, seen in ((-1, 0.95), (1, 0.8)):
        size = rng.uniform(0.65, 1.0)
        place = (
            side * (21 * k + 38 * torso.body.muscle_scale + 22 * size + rng.normal(0, 3)),
            torso.spine_y - rng.normal(16, 5),
        )
        radii = (rng.normal(25, 1.5) * k * size, rng.normal(29, 1.5) * k * size)
        hilum = rng.random() < size - 0.3
        outline = Ellipse(place, radii, 0.6 * side, 2.1, wobble(rng, 0.03), growth=0.15)
        if rng.random() < seen:
            paint_kidney(torso, rng, outline, side, hilum)


def upper_kidneys(torso: Torso, rng: Rng) -> None:
    """Upper poles, close to the spine, and the adrenals in front of them."""
    k = torso.body.scale
    for side, lower, seen in ((-1, 12, 0.75), (1, 6, 0.9)):
        size = rng.uniform(0.55, 1.0)
        place = (side * rng.normal(60, 3) * k, torso.spine_y + lower + rng.normal(0, 4))
        radii = (rng.normal(23, 1.5) * k * size, rng.normal(27, 1.5) * k * size)
        outline = Ellipse(place, radii, -0.4 * side, 2.1, wobble(rng, 0.03), growth=-0.2)
        if rng.random() < seen:
            paint_kidney(torso, rng, outline, side, rng.random() < 0.3)
        adrenal(torso, rng, side)


def adrenal(torso: Torso, rng: Rng, side: int) -> None:
    """An adrenal: a thin inverted Y."""
    x, y = side * 38 * torso.body.scale, torso.spine_y - 14 + rng.normal(0, 3)
    for dx, dy in ((side * 14, 16), (side * 4, 18)):
        path = np.array([(x, y, 2.2), (x + dx * 0.5, y + dy * 0.5, 1.8), (x + dx, y + dy, 1.4)])
        torso.canvas.place(torso.canvas.tube(path), {"bowel_wall": 0.9, "adipose": 0.1}, 0, 0.5)


def paint_kidney(
    torso: Torso, rng: Rng, outline: Ellipse, side: int, hilum: bool, gap_mm: float = 1.5
) -> None:
    """A kidney where there is room, ``gap_mm`` of fat from its neighbours."""
    canvas, (x, y), (a, b) = torso.canvas, outline.centre, outline.radii
    kidney = canvas.ellipse(outline).within(torso.cavity_distance + 5)
    kidney = kidney.within(gap_mm - canvas.occupied)
    _fascia(torso, rng, kidney)
    canvas.paint(kidney, {"renal_cortex": 1.0})
    facing = np.pi if side > 0 else 0.0
    turn, deep = outline.angle, kidney.grown(-4.5)
    for angle in facing + np.linspace(0.75, 2 * np.pi - 0.75, 8) + rng.normal(0, 0.1, 8):
        u, v = 0.56 * a * np.cos(angle), 0.56 * b * np.sin(angle)
        centre = (x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn))
        radii = (0.26 * a * rng.uniform(0.85, 1.15), 0.16 * b * rng.uniform(0.85, 1.15))
        pyramid = canvas.ellipse(Ellipse(centre, radii, angle + turn, 2, wobble(rng, 0.08)))
        canvas.paint(pyramid & deep, {"renal_medulla": 1.0})
    if hilum:
        _hilum(torso, rng, outline, side)
    canvas.occupy(kidney)


def _hilum(torso: Torso, rng: Rng, outline: Ellipse, side: int) -> None:
    """Sinus fat open to the middle, with the pelvis and the renal vein."""
    canvas, (x, y), (a, b) = torso.canvas, outline.centre, outline.radii
    mouth = (x - 1.05 * side * a, y - 0.25 * b)
    sinus = np.array([(x + 0.12 * side * a, y, 0.24 * b), (x - 0.5 * side * a, y - 2, 0.3 * b),
                      (*mouth, 0.2 * b)])  # fmt: skip
    canvas.paint(canvas.tube(sinus).grown(1.2 * canvas.field(rng, 4)), {"adipose": 0.95,
                                                                       "vein": 0.05})  # fmt: skip
    pelvis = np.array([(x, y + 2, 2.4), (x - 0.6 * side * a, y + 2, 3.0), (*mouth, 2.0)])
    canvas.paint(canvas.tube(pelvis, (0, 0.2)), {"fluid": 1.0})
    vein = np.array([(x - 0.15 * side * a, y - 4, 1.6), (x - 0.7 * side * a, y - 5, 2.8),
                     (mouth[0] - 8 * side, mouth[1] - 6, 3.2)])  # fmt: skip
    canvas.paint(canvas.tube(vein, (0, -0.2)), {"vein": 1.0})


def _fascia(torso: Torso, rng: Rng, kidney: Shape) -> None:
    """Gerota's fascia and the bridging septa of the perirenal fat."""
    canvas = torso.canvas
    around = kidney.grown(rng.uniform(6, 11) + 2.5 * canvas.field(rng, 14))
    free = around.shell(0.8).within(torso.cavity_distance + 1).within(0.5 - canvas.occupied)
    canvas.paint(free, {"muscle": 0.5, "adipose": 0.5}, None)
    septa = canvas.streaks(rng, 3.0, 0.06, 0.5).clip(0, 0.5)
    fat = around.within(0.5 - canvas.occupied).within(torso.cavity_distance)
    canvas.paint(fat.grown(-0.6), {"adipose": 1 - septa, "muscle": septa}, None)
