"""Arms beside the trunk, of patients who cannot raise them."""

import numpy as np

from cl_seg.phantom.anatomy.layers import Mix
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, Shape, wobble
from cl_seg.phantom.anatomy.torso import Torso

CORTEX: Mix = {"bone": 0.8, "marrow": 0.2}


def lowered_arms(torso: Torso, rng: Rng) -> None:
    """Forearms at L3, upper arms at the liver; their muscles are not labelled."""
    canvas, k = torso.canvas, torso.body.scale
    upper = torso.level == "liver"
    for side in (-1, 1):
        width = (44 if upper else 34) * k * rng.normal(1, 0.06)
        width += 0.10 * np.sqrt(torso.body.sat_cm2 * 100) - 12
        depth = width * rng.uniform(0.95, 1.15)
        x = side * (torso.trunk_half_width + width + rng.uniform(1, 9))
        y = torso.middle + rng.uniform(5, 40)
        outline = Ellipse((x, y), (width, depth), rng.uniform(-0.4, 0.4), 2.1, wobble(rng, 0.03))
        arm = canvas.ellipse(outline).within(0.5 - torso.surface)
        canvas.paint(arm, {"skin": 0.55, "adipose": 0.45})
        canvas.paint(arm.grown(-1.4), {"adipose": 1.0})
        fat = np.clip(0.04 * torso.body.sat_cm2**0.7 * rng.uniform(0.7, 1.3), 2.5, 14)
        muscle = arm.grown(-(1.4 + fat) + 0.8 * canvas.field(rng, 9))
        canvas.paint(muscle, torso.muscle)
        septum = canvas.tube(np.array([(x - 0.8 * width, y, 0.8), (x + 0.8 * width, y + 4, 0.8)]))
        canvas.paint(septum & muscle, {"adipose": 0.8, "muscle": 0.2})
        for bone in _bones(torso, rng, (x, y), upper):
            canvas.paint(bone, CORTEX)
            canvas.paint(bone.grown(-2.6 * k), {"bone": 0.05, "marrow": 0.95})
        surface = torso.surface.on(arm.box)
        np.minimum(surface, arm.distance, out=surface)


def _bones(torso: Torso, rng: Rng, place: tuple[float, float], upper: bool) -> list[Shape]:
    """Humerus, or radius and ulna."""
    k, (x, y) = torso.body.scale, place
    if upper:
        middles, radius = [(x, y - 2)], 10.5 * k
    else:
        turn = rng.uniform(0, 2 * np.pi)
        step = 11 * k * np.array([np.cos(turn), np.sin(turn)])
        middles, radius = [(x + s * step[0], y + s * step[1]) for s in (-1, 1)], 6.8 * k
    return [
        torso.canvas.ellipse(Ellipse(at, (radius, 0.92 * radius), wobble=wobble(rng, 0.05)))
        for at in middles
    ]
