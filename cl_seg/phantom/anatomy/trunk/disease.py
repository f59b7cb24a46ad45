"""Fluid and masses, neither muscle nor liver, and lesions of the liver, in a few bodies."""

import numpy as np

from cl_seg.phantom.anatomy.field import largest
from cl_seg.phantom.anatomy.shapes import Rng, Shape, wobble
from cl_seg.phantom.anatomy.torso import LIVER
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import Solid, cut

# Shares of bodies with one or more (engineering values).
MASSES, LIVER_CYSTS, LIVER_MASSES = 0.12, 0.22, 0.10


def ascites(trunk: Trunk, rng: Rng) -> None:
    """Fluid along the wall and between the organs, painted before them."""
    canvas, depth = trunk.canvas, trunk.habitus.ascites_mm
    uneven = 1 + 0.5 * canvas.field(rng, 25)
    if depth:
        layer = largest(
            trunk.below, trunk.cavity_distance + 1, -(trunk.cavity_distance + depth * uneven),
            canvas.y - trunk.spine_y,
        )  # fmt: skip
        canvas.paint(canvas.shape(layer), {"fluid": 0.96, "bowel_wall": 0.04})


def masses(trunk: Trunk, rng: Rng) -> None:
    """Soft masses beside the spine, in the mesentery or in the pelvis."""
    canvas, k = trunk.canvas, trunk.body.scale
    there, count = rng.random() < MASSES, int(rng.integers(1, 4))
    texture = np.clip(0.25 + 0.12 * canvas.field(rng, 5), 0, 0.7)
    for one in trunk.streams(rng, count if there else 0):
        size = one.uniform(8, 40)
        place = (one.uniform(-0.6, 0.6) * trunk.wall_half_width, trunk.middle + one.normal(0, 30))
        mass = Solid(place, (size, size * one.uniform(0.6, 1)), one.uniform(-120, 110), size / k,
                     one.uniform(0, 3), 2.2, wobble(one, 0.1))  # fmt: skip
        shape = cut(trunk, mass).within(trunk.cavity_distance + 3).within(trunk.below + 4)
        mix = {"bowel_wall": 0.5, "muscle": 0.5 - 0.5 * texture, "fluid": 0.5 * texture}
        canvas.place(shape, mix, 0, 0.5)


def liver_lesions(trunk: Trunk, whole: Shape, rng: Rng) -> None:
    """Cysts, and denser masses in a few; they belong to the liver."""
    half, k = trunk.wall_half_width, trunk.body.scale
    counts = (
        rng.integers(1, 5) * (rng.random() < LIVER_CYSTS),
        rng.integers(1, 7) * (rng.random() < LIVER_MASSES),
    )
    mixes = {"fluid": 0.95, "liver": 0.05}, {"liver": 0.45, "muscle": 0.35, "fluid": 0.2}
    for count, mix in zip(counts, mixes, strict=True):
        for one in trunk.streams(rng, int(count)):
            place = one.uniform(-0.9, 0.2) * half, trunk.middle + one.uniform(-60, 55) * k
            size = one.gamma(2.0, 4.0) + 3
            height = one.uniform(trunk.habitus.tip + 20, trunk.habitus.right_dome - 10)
            lesion = Solid(place, (size, size * one.uniform(0.8, 1.1)), height, size / k, 0.0, 2,
                           wobble(one, 0.05))  # fmt: skip
            trunk.canvas.paint(cut(trunk, lesion) & whole.grown(-0.5), dict(mix), LIVER)
