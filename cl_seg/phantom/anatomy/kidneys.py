"""Kidneys with their fascia."""

import numpy as np

from cl_seg.phantom.anatomy.canvas import Ellipse, Rng, intersection, shell, wobble
from cl_seg.phantom.anatomy.torso import Torso


def lumbar_kidneys(torso: Torso, rng: Rng) -> None:
    """Kidneys at the level of the lower hilum, apart from the spine."""
    for side in (-1, 1):
        place = (side * rng.normal(84, 5), torso.spine_y - rng.normal(16, 5))
        radii = (rng.normal(24, 2.5) * torso.body.scale, rng.normal(28, 2.5) * torso.body.scale)
        _kidney(torso, rng, Ellipse(place, radii, 0.5 * side, wobble=wobble(rng, 0.02)), side)


def upper_kidneys(torso: Torso, rng: Rng) -> None:
    """Upper poles, close to the spine."""
    for side, lower in ((-1, 10), (1, 4)):
        place = (side * rng.normal(63, 3), torso.spine_y + lower + rng.normal(0, 4))
        radii = (rng.normal(22, 2), rng.normal(28, 2))
        _kidney(torso, rng, Ellipse(place, radii, -0.4 * side, wobble=wobble(rng, 0.02)), side)


def _kidney(torso: Torso, rng: Rng, outline: Ellipse, side: int) -> None:
    canvas, (x, y), (a, b) = torso.canvas, outline.centre, outline.radii
    kidney = intersection(canvas.shape(outline), torso.cavity + 4)
    space = rng.uniform(7, 15)
    gerota = intersection(shell(kidney - space, 0.9), torso.cavity + 1, side * (x - canvas.x) - a)
    canvas.paint(gerota, {"muscle": 0.45, "adipose": 0.55}, None)
    canvas.paint(kidney, {"renal_cortex": 1.0})
    hilum = np.pi if side > 0 else 0.0
    # Pyramids all around but for the hilum, which faces the spine.
    for angle in hilum + np.linspace(0.7, 2 * np.pi - 0.7, 7) + rng.normal(0, 0.12, 7):
        centre = (x + 0.52 * a * np.cos(angle), y + 0.52 * b * np.sin(angle))
        size = rng.uniform(4, 6)
        pyramid = canvas.shape(Ellipse(centre, (size, size), wobble=wobble(rng, 0.1)))
        canvas.paint(intersection(pyramid, kidney + 4), {"renal_medulla": 1.0})
    sinus = Ellipse(
        (x - 0.45 * side * a, y - 4), (0.58 * a, 0.26 * b), outline.angle, wobble=wobble(rng, 0.12)
    )
    canvas.paint(canvas.shape(sinus), {"adipose": 0.9, "vein": 0.1})
    vein = Ellipse((x - 0.9 * side * a, y - 5), (0.7 * a, 3.2), 0.25 * side, 2, wobble(rng, 0.1))
    canvas.paint(canvas.shape(vein), {"vein": 1.0})
