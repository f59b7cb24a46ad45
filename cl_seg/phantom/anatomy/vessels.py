"""Aorta, vena cava and the vessels of the mesentery."""

import numpy as np

from cl_seg.phantom.anatomy.canvas import Ellipse, Rng, intersection, wobble
from cl_seg.phantom.anatomy.torso import Torso


def _vessel(
    torso: Torso, rng: Rng, ellipse: tuple[float, float, float, float], tissue: str
) -> None:
    x, y, a, b = ellipse
    outline = Ellipse((x, y), (a, b), rng.uniform(-0.3, 0.3), wobble=wobble(rng, 0.03))
    inside = intersection(torso.canvas.shape(outline), torso.cavity)
    torso.canvas.paint(inside, {tissue: 1.0})


def lumbar_vessels(torso: Torso, rng: Rng) -> None:
    """Aorta, sometimes calcified, and vena cava in front of the spine."""
    y, k = torso.spine_y, torso.body.scale
    radius = rng.normal(9.5, 1) * k
    x = 9 + rng.normal(0, 2)
    _vessel(torso, rng, (x, y - 22 * k - radius, radius, radius), "artery")
    if rng.random() < 0.4:
        angle = rng.uniform(0, 2 * np.pi)
        plaque = Ellipse(
            (x + 0.9 * radius * np.cos(angle), y - 22 * k - radius + 0.9 * radius * np.sin(angle)),
            (3.2, 1.1), angle + np.pi / 2,
        )  # fmt: skip
        torso.canvas.paint(torso.canvas.shape(plaque), {"bone": 0.5, "artery": 0.5})
    cava = rng.normal(11, 1.5) * k
    _vessel(torso, rng, (-18, y - 20 * k - cava, 1.2 * cava, cava), "vein")


def upper_vessels(torso: Torso, rng: Rng) -> None:
    """Aorta beside the crura, vena cava behind the liver, splenic vessels."""
    y = torso.spine_y
    _vessel(torso, rng, (8, y - 30, 11, 11), "artery")
    _vessel(torso, rng, (-23, y - 34, 14, rng.normal(12, 1.5)), "vein")
    for _ in range(12):
        x, depth = rng.normal(55, 24), rng.normal(torso.middle + 14, 16)
        if torso.canvas.fraction_at("adipose", x, depth) > 0.5:
            radius = rng.uniform(0.9, 2.2)
            _vessel(torso, rng, (x, depth, radius * rng.uniform(1, 2), radius), "vein")


def mesentery(torso: Torso, rng: Rng) -> None:
    """Small vessels fanning out from the root of the mesentery."""
    for _ in range(40):
        angle, reach = rng.uniform(-1.2, 1.2), rng.uniform(8, 75)
        x = reach * np.sin(angle)
        y = torso.spine_y - 40 - 0.8 * reach * np.cos(angle)
        radius = rng.uniform(0.9, 2.4)
        _vessel(torso, rng, (x, y, radius * rng.uniform(1, 2.2), radius), "vein")
