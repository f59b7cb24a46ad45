"""Liver with its vessels, and the gallbladder."""

import numpy as np

from cl_seg.phantom.anatomy.layers import Mix
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, Shape, wobble
from cl_seg.phantom.anatomy.torso import LIVER, Torso

BRANCH_MM = 9.0  # length of a piece of vessel


def liver_tip(torso: Torso, rng: Rng) -> None:
    """The lower tip of the right lobe, which reaches L3 in most people."""
    width, depth = float(np.clip(rng.normal(22, 7), 8, 40)), rng.normal(52, 9)
    x, y = 9 + 0.75 * width - torso.wall_half_width + 14, torso.middle - rng.normal(6, 6)
    outline = Ellipse((x, y), (width, depth), 0.08, 2.2, wobble(rng, 0.05), growth=0.25)
    mix, vessels = parenchyma(torso, rng), rng.integers(2**62)
    if rng.random() > 0.75:
        return
    canvas = torso.canvas
    tip = (
        canvas.ellipse(outline)
        .grown(0.8 * canvas.field(rng, 8))
        .within(torso.cavity_distance + 1.0)
    )
    tip = canvas.place(tip, mix, LIVER)
    _tree(torso, np.random.default_rng(vessels), tip.grown(-2), (x + 4, y), 3, 1.6, "vein")


def liver(torso: Torso, rng: Rng) -> None:
    """Right and left lobe, falciform fissure, portal and hepatic veins."""
    canvas = torso.canvas
    mix = parenchyma(torso, rng)
    lobes = canvas.place(_lobes(torso, rng), mix, LIVER, 1.2)
    x, y = rng.normal(4, 6), torso.top + 30
    fissure = np.array([(x, y - 14, 1.2), (x + 3, y + 6, 1.6), (x - 2, y + 26, 2.4)])
    ligament = canvas.tube(fissure).grown(0.6 * canvas.field(rng, 4)) & lobes.grown(0.5)
    canvas.paint(ligament, {"adipose": 0.9, "portal_vein": 0.1})
    hilum = (-26 + rng.normal(0, 4), torso.middle + 6 + rng.normal(0, 4))
    inside = lobes.grown(-2)
    _tree(torso, rng, inside, hilum, 5, 3.8, "portal_vein")
    confluence = (-26 + rng.normal(0, 3), torso.spine_y - 44)
    for heading in (3.5, 4.2, 4.9):
        _branch(torso, rng, inside, confluence, (heading + rng.normal(0, 0.15), 3.2), "vein", 0)
    stem = np.array([(hilum[0] + 16, hilum[1] + 8, 5.0), (*hilum, 5.2),
                     (hilum[0] - 14, hilum[1] - 5, 4.6)])  # fmt: skip
    canvas.paint(canvas.tube(stem, (0.3, 0.1)), {"portal_vein": 0.85, "liver": 0.15}, None)


def _lobes(torso: Torso, rng: Rng) -> Shape:
    """Right and left lobe, without the hollows of their neighbours."""
    canvas, top, half, k = torso.canvas, torso.top, torso.wall_half_width, torso.body.scale
    y = torso.spine_y
    right = Ellipse(
        (0.60 * half - half - 8, torso.middle - 2),
        (rng.normal(0.66, 0.03) * half, rng.normal(98, 4) * k), 0.12, 2.3, wobble(rng, 0.03),
        growth=0.15,
    )  # fmt: skip
    left = Ellipse(
        (-0.02 * half, top + 44 * k), (rng.normal(0.52, 0.08) * half, rng.normal(37, 4) * k), 0.12,
        2, wobble(rng, 0.05), growth=0.3,
    )  # fmt: skip
    hollows = canvas.ellipse(Ellipse((4, y - 8), (36 * k, 44 * k), 0.2, 2, wobble(rng, 0.06)))
    stomach_bed = Ellipse((0.36 * half, top + 96 * k), (56 * k, 40 * k), -0.2, 2, wobble(rng, 0.06))
    back = Ellipse((-24 * k, torso.bottom - 20), (58 * k, 38 * k), 0, 2.3, wobble(rng, 0.04))
    for bed in (stomach_bed, back):
        hollows = hollows | canvas.ellipse(bed)
    reach = rng.uniform(0.12, 0.34) * half
    edge = canvas.x - reach + 0.35 * (canvas.y - (top + 40))
    edge = edge + 4 * canvas.field(rng, 16)
    lobes = (canvas.ellipse(right) | canvas.ellipse(left)) - hollows
    return lobes.within(edge).within(torso.cavity_distance + 1.2).grown(0.7 * canvas.field(rng, 8))


def parenchyma(torso: Torso, rng: Rng) -> Mix:
    """Liver with its fat, of fine and coarse texture."""
    texture = 0.012 * torso.canvas.field(rng, 2.5) + 0.008 * torso.canvas.field(rng, 12)
    fat = np.clip(torso.body.liver_fat + texture, 0, 0.4)
    return {"liver": 1 - fat, "adipose": fat}


def _tree(
    torso: Torso, rng: Rng, inside: Shape, root: tuple[float, float], count: int, radius: float,
    tissue: str,
) -> None:  # fmt: skip
    """Branches that leave a root in all directions inside a shape."""
    for heading in rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(count) / count:
        start = (heading + rng.normal(0, 0.2), radius * rng.uniform(0.6, 1))
        _branch(torso, rng, inside, root, start, tissue, 0)


def _branch(
    torso: Torso, rng: Rng, inside: Shape, root: tuple[float, float],
    start: tuple[float, float], tissue: str, depth: int,
) -> None:  # fmt: skip
    """A tapering vessel that winds, leaves the slice and forks."""
    heading, radius = start
    path = [(*root, radius)]
    for _ in range(int(rng.integers(4, 9))):
        heading += rng.normal(0, 0.22)
        x, y, radius = path[-1]
        path.append((x + BRANCH_MM * np.cos(heading), y + BRANCH_MM * np.sin(heading),
                     0.88 * radius))  # fmt: skip
    drift, fork = tuple(rng.normal(0, 0.35, 2)), rng.integers(1, len(path), 2)
    visible = rng.random() < 0.6
    if visible:
        vessel = torso.canvas.tube(np.array(path), drift) & inside
        torso.canvas.paint(vessel, {tissue: 0.6, "liver": 0.4}, LIVER)
    if depth < 1:
        for at, turn in zip(fork, (0.6, -0.6), strict=True):
            x, y, radius = path[int(at)]
            child = (heading + turn + rng.normal(0, 0.2), 0.75 * radius)
            _branch(torso, rng, inside, (x, y), child, tissue, depth + 1)


def gallbladder(torso: Torso, rng: Rng) -> None:
    """A bag of bile under the liver."""
    k = torso.body.scale
    outline = Ellipse(
        (-30 * k + rng.normal(0, 6), torso.top + 70 * k + rng.normal(0, 5)),
        (rng.normal(11, 2) * k, rng.normal(19, 4) * k), -0.4, wobble=wobble(rng, 0.04), growth=-0.4,
    )  # fmt: skip
    if rng.random() > 0.55:
        return
    bag = torso.canvas.ellipse(outline).within(torso.cavity_distance + 2)
    torso.canvas.paint(bag.grown(1.2), {"adipose": 1.0})
    torso.canvas.paint(bag, {"bowel_wall": 1.0})
    torso.canvas.paint(bag.grown(-1.5), {"fluid": 1.0})
    torso.canvas.occupy(bag)
