"""Colon and small bowel."""

from typing import Literal

import numpy as np

from cl_seg.phantom.anatomy.canvas import Ellipse, Field, Rng, intersection, wobble
from cl_seg.phantom.anatomy.torso import Torso

Filling = Literal["collapsed", "fluid", "gas", "stool", "oral_contrast"]
Choices = tuple[tuple[Filling, float], ...]

COLON: Choices = (("stool", 0.40), ("gas", 0.35), ("collapsed", 0.25))
SMALL: Choices = (
    ("collapsed", 0.52),
    ("fluid", 0.34),
    ("gas", 0.10),
    ("stool", 0.04),
)
ORAL_CONTRAST = 0.2  # share of bodies that drank it (engineering value)


def loop(torso: Torso, rng: Rng, outline: Ellipse, filling: Filling, bounds: Field) -> None:
    """One cut of bowel: its wall, then what fills it."""
    canvas = torso.canvas
    shape = intersection(canvas.shape(outline), bounds)
    canvas.paint(shape, {"bowel_wall": 1.0})
    inside = shape + rng.uniform(1.6, 2.6)
    if filling == "collapsed":
        canvas.paint(inside + 1.5, {"bowel_wall": 0.75, "fluid": 0.25})
    elif filling in {"fluid", "oral_contrast"}:
        canvas.paint(inside, {filling: 1.0})
    elif filling == "gas":
        canvas.paint(inside, {"fluid": 1.0})
        level = outline.centre[1] + rng.uniform(-0.3, 0.5) * outline.radii[1]
        canvas.paint(intersection(inside, canvas.level_y - level), {"air": 1.0})
    else:
        _stool(torso, rng, inside)


def _stool(torso: Torso, rng: Rng, inside: Field) -> None:
    canvas = torso.canvas
    solid = np.clip(0.25 + 0.22 * canvas.field(rng, 2.2), 0, 0.8)
    gas = np.clip(1.2 * (canvas.field(rng, 1.6) - 1), 0, 1)
    rest = 1 - gas
    canvas.paint(inside, {
        "air": gas,
        "fluid": (1 - solid) * rest,
        "adipose": 0.7 * solid * rest,
        "bowel_wall": 0.3 * solid * rest,
    })  # fmt: skip


def _draw(rng: Rng, choices: Choices) -> Filling:
    index = rng.choice(len(choices), p=[share for _, share in choices])
    return choices[int(index)][0]


def _outline(rng: Rng, x: float, y: float, a: float, b: float) -> Ellipse:
    return Ellipse((x, y), (a, b), rng.uniform(0, np.pi), wobble=wobble(rng, 0.07))


def small_bowel(torso: Torso, rng: Rng) -> None:
    """Loops packed at random behind the transverse colon."""
    half, front = 0.38 * torso.body.width_mm, torso.top + 48
    back = torso.spine_y - 42
    fluid: Filling = "oral_contrast" if rng.random() < ORAL_CONTRAST else "fluid"
    placed: list[tuple[float, float, float]] = []
    for _ in range(500):
        x, y = rng.uniform(-half, half), rng.uniform(min(front, back - 18), back)
        radius = rng.uniform(8, 14)
        if all(np.hypot(x - px, y - py) > 0.84 * (radius + pr) for px, py, pr in placed):
            placed.append((x, y, radius))
            outline = _outline(rng, x, y, radius * rng.uniform(1, 1.6), radius)
            filling = _draw(rng, SMALL)
            loop(torso, rng, outline, fluid if filling == "fluid" else filling, torso.cavity + 2)
        if len(placed) == 22:
            break


def colon(torso: Torso, rng: Rng) -> None:
    """Ascending, transverse and descending colon at L3."""
    edge, y, width = torso.half_width, torso.spine_y, torso.body.width_mm
    bounds = torso.cavity
    loop(torso, rng, _outline(rng, 50 - edge, y - 70 + rng.normal(0, 6), 23, 21), "stool", bounds)
    left = _outline(rng, edge - 40, y - 56 + rng.normal(0, 6), 16, 18)
    loop(torso, rng, left, _draw(rng, COLON), bounds)
    for place in np.linspace(-0.28, 0.28, 5):
        x = place * width + rng.normal(0, 5)
        depth = torso.top + 34 + 10 * (place / 0.28) ** 2 + rng.normal(0, 4)
        outline = _outline(rng, x, depth, rng.uniform(15, 21), rng.uniform(11, 15))
        loop(torso, rng, outline, _draw(rng, COLON), bounds)
