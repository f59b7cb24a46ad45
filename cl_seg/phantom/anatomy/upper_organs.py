"""Spleen, stomach, pancreas and colon beside them at liver level."""

import numpy as np

from cl_seg.phantom.anatomy.bowel import loop
from cl_seg.phantom.anatomy.canvas import FAR_MM, Ellipse, Field, Rng, intersection, wobble
from cl_seg.phantom.anatomy.torso import LIVER, Torso


def spleen(torso: Torso, rng: Rng) -> None:
    """A crescent behind the stomach."""
    canvas, x, y = torso.canvas, torso.half_width, torso.middle
    size = rng.normal(1, 0.08)
    outline = Ellipse((x - 38, y + 28), (30 * size, 56 * size), 0.42, wobble=wobble(rng, 0.03))
    hollow = Ellipse((x - 72, y + 14), (32, 52), 0.35, wobble=wobble(rng, 0.02))
    crescent = intersection(canvas.shape(outline), torso.cavity, -canvas.shape(hollow))
    canvas.paint(crescent, {"spleen": 1.0})


def stomach(torso: Torso, rng: Rng) -> None:
    """Stomach with fluid and a gas bubble above it; it yields to liver and spleen."""
    canvas, top = torso.canvas, torso.top
    size = rng.normal(1, 0.08)
    outline = Ellipse((62, top + 62), (46 * size, 42 * size), 0.35, wobble=wobble(rng, 0.05))
    free = _beside(torso)
    bag = intersection(canvas.shape(outline), torso.cavity + 2, free)
    wall = rng.uniform(3, 5)
    canvas.paint(bag, {"bowel_wall": 1.0})
    inside = intersection(canvas.shape(outline) + wall, torso.cavity + 2 + wall, free)
    food = np.clip(0.15 + 0.1 * canvas.field(rng, 3), 0, 0.5)
    if rng.random() < 0.2:
        canvas.paint(inside, {"oral_contrast": 1.0})
    else:
        canvas.paint(inside, {"fluid": 1 - food, "bowel_wall": food})
    level = top + rng.uniform(30, 50)
    canvas.paint(intersection(inside, canvas.level_y - level), {"air": 1.0})


def _beside(torso: Torso, fat_at_least: float = 0.0) -> Field:
    """Negative where there is neither liver nor spleen and no less than so much fat."""
    canvas = torso.canvas
    taken = (canvas.fraction("spleen") > 0.5) | (canvas.labels == LIVER)
    taken |= canvas.fraction("adipose") < fat_at_least
    beside: Field = np.where(taken, np.float32(FAR_MM), np.float32(-FAR_MM))
    return beside


def pancreas(torso: Torso, rng: Rng) -> None:
    """A lobulated gland in front of the spine; it yields to liver, spleen and stomach."""
    canvas = torso.canvas
    outline = Ellipse(
        (26, torso.spine_y - 56), (rng.normal(46, 4), rng.normal(10, 1.5)), -0.3,
        wobble=wobble(rng, 0.09, (4, 5, 6, 7, 9)),
    )  # fmt: skip
    free = _beside(torso, fat_at_least=0.5)
    fat = np.clip(0.18 + 0.2 * canvas.field(rng, 2.2), 0, 0.7)
    canvas.paint(intersection(canvas.shape(outline), free), {"pancreas": 1 - fat, "adipose": fat})


def splenic_flexure(torso: Torso, rng: Rng) -> None:
    """A gas-filled loop of colon beside the stomach."""
    place = (torso.half_width - 52, torso.middle - 25 + rng.normal(0, 5))
    outline = Ellipse(place, (17, 19), rng.uniform(0, 3), wobble=wobble(rng, 0.06))
    free = _beside(torso, fat_at_least=0.3)
    loop(torso, rng, outline, "gas", intersection(torso.cavity, free))
