"""Liver with its vessels, and the gallbladder."""

import numpy as np

from cl_seg.phantom.anatomy.canvas import (
    Ellipse,
    Field,
    Mix,
    Rng,
    intersection,
    shell,
    union,
    wobble,
)
from cl_seg.phantom.anatomy.torso import LIVER, Torso

BRANCH_MM = 15.0  # length of a vessel segment


def liver_tip(torso: Torso, rng: Rng) -> None:
    """The lower tip of the right lobe, which reaches L3 in most people."""
    if rng.random() > 0.85:
        return
    width = float(np.clip(rng.normal(26, 6), 12, 40))
    x, y = 22 + 0.6 * width - torso.half_width, rng.normal(-10, 5)
    outline = Ellipse((x, y), (width, rng.normal(58, 7)), -0.10, wobble=wobble(rng, 0.05))
    tip = intersection(torso.canvas.shape(outline), torso.cavity)
    torso.canvas.paint(tip, _parenchyma(torso, rng), LIVER)
    for _ in range(4):
        centre = (x + rng.normal(0, 8), y + rng.normal(0, 25))
        vessel = torso.canvas.shape(Ellipse(centre, (3.5, 1.4), rng.uniform(0, 3)))
        torso.canvas.paint(intersection(vessel, tip + 3), {"vein": 1.0}, LIVER)


def liver(torso: Torso, rng: Rng) -> None:
    """Right and left lobe, falciform fissure, portal and hepatic veins."""
    canvas = torso.canvas
    lobes = _lobes(torso, rng)
    canvas.paint(lobes, _parenchyma(torso, rng), LIVER)
    fissure = Ellipse((2 + rng.normal(0, 6), torso.top + 42), (1.8, 24), 0.30)
    canvas.paint(intersection(canvas.shape(fissure), lobes + 0.5), {"adipose": 1.0})
    _vessel_tree(torso, rng, lobes)
    portal = Ellipse(
        (-30, torso.middle + 12), (13, 7), rng.uniform(-0.3, 0.3), 2, wobble(rng, 0.03)
    )
    canvas.paint(canvas.shape(portal), {"vein": 1.0})


def _lobes(torso: Torso, rng: Rng) -> Field:
    canvas, top, y = torso.canvas, torso.top, torso.spine_y
    right = Ellipse(
        (62 - torso.half_width, torso.middle - 8), (rng.normal(88, 4), rng.normal(90, 4)), 0.12,
        2.1, wobble(rng, 0.03),
    )  # fmt: skip
    left = Ellipse(
        (-2, top + 50), (rng.normal(78, 8), rng.normal(36, 3)), 0.10, 2, wobble(rng, 0.04)
    )
    k = torso.body.scale
    porta = Ellipse((-10, y - 6), (40 * k, 46 * k), 0.2, 2, wobble(rng, 0.05))
    stomach_bed = Ellipse((45, top + 92), (56, 30), -0.12, 2, wobble(rng, 0.05))
    renal_bed = Ellipse((-64, y + 6), (31 * k, 40 * k), 0.5, 2, wobble(rng, 0.04))
    back = Ellipse((-30, torso.bottom - 22), (66, 40), power=2.3, wobble=wobble(rng, 0.03))
    beds = union(*(canvas.shape(bed) for bed in (porta, stomach_bed, renal_bed, back)))
    reach = rng.uniform(0.12, 0.22) * torso.body.width_mm
    edge = canvas.x - reach + 0.3 * (canvas.y - top - 40) + 5 * canvas.field(rng, 16)
    lobes = union(canvas.shape(right), canvas.shape(left))
    return intersection(lobes, torso.cavity, -beds, edge)


def _parenchyma(torso: Torso, rng: Rng) -> Mix:
    texture = 0.012 * torso.canvas.field(rng, 2.5) + 0.008 * torso.canvas.field(rng, 12)
    fat = np.clip(torso.body.liver_fat + texture, 0, 0.4).astype(np.float32)
    return {"liver": 1 - fat, "adipose": fat}


def _vessel_tree(torso: Torso, rng: Rng, lobes: Field) -> None:
    """Tapering branches that wind away from the hilum."""
    inside = lobes + 2.5
    for _ in range(10):
        x, y = -28.0, torso.middle + 6
        heading, radius = rng.uniform(1.6, 4.6), rng.uniform(2.2, 4.2)
        for _ in range(8):
            heading += rng.normal(0, 0.38)
            end_x, end_y = x + BRANCH_MM * np.cos(heading), y + BRANCH_MM * np.sin(heading)
            segment = Ellipse(
                ((x + end_x) / 2, (y + end_y) / 2), (9.5, radius), heading, 2, wobble(rng, 0.08)
            )
            shape = intersection(torso.canvas.shape(segment), inside)
            # Vessels dip in and out of the slice: partial volume dims some segments.
            share = float(rng.uniform(0.35, 1))
            torso.canvas.paint(shape, {"vein": share, "liver": 1 - share}, LIVER)
            x, y, radius = end_x, end_y, 0.82 * radius
            if radius < 0.8:
                break


def gallbladder(torso: Torso, rng: Rng) -> None:
    """A bag of bile under the liver."""
    if rng.random() > 0.8:
        return
    outline = Ellipse(
        (-38 + rng.normal(0, 4), torso.top + 88), (rng.normal(13, 2), rng.normal(19, 3)), -0.4,
        wobble=wobble(rng, 0.03),
    )  # fmt: skip
    bag = intersection(torso.canvas.shape(outline), torso.cavity)
    torso.canvas.paint(bag, {"bowel_wall": 1.0})
    torso.canvas.paint(bag + 1.3, {"fluid": 1.0})
    torso.canvas.paint(intersection(shell(bag - 0.8, 1.2), torso.cavity + 1), {"adipose": 1.0})
