"""Liver between the diaphragm and its tip, with hollows of its neighbours."""

from dataclasses import dataclass

import numpy as np

from cl_seg.phantom.anatomy.liver import parenchyma
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, Shape, wobble
from cl_seg.phantom.anatomy.torso import LIVER
from cl_seg.phantom.anatomy.trunk.disease import liver_lesions
from cl_seg.phantom.anatomy.trunk.liver_vessels import hepatic_veins, portal_veins
from cl_seg.phantom.anatomy.trunk.positions import along
from cl_seg.phantom.anatomy.trunk.section import Trunk
from cl_seg.phantom.anatomy.trunk.solids import Solid, cut

# Hollows of the liver's neighbours: kidney and colon reach under the right lobe from below.
KIDNEY_BED = {"L3": 1.0, "L1": 1.0, "T12": 0.5, "T11": 0.0}


@dataclass(frozen=True)
class _Lobes:
    """What is the body's own: sizes relative to the usual, heights in mm of the average man."""

    width: float
    depth: float
    left_width: float
    left_depth: float
    left_bottom: float
    reach: float


def liver(trunk: Trunk, rng: Rng) -> None:
    """Right, left and caudate lobe with their fissures and vessels."""
    canvas, streams = trunk.canvas, trunk.streams(rng, 4)
    mix = parenchyma(trunk, rng)
    rough = 0.7 * canvas.field(rng, 8) + 1.5 * canvas.field(rng, 18)
    lobes = _Lobes(
        width=rng.normal(0.68, 0.05),
        depth=rng.normal(1.0, 0.06),
        left_width=float(np.clip(rng.normal(0.56, 0.08), 0.35, 0.8)),
        left_depth=rng.normal(38, 6),
        left_bottom=rng.normal(66, 17),
        reach=float(np.clip(rng.normal(0.34, 0.15), 0.05, 0.75)),
    )
    if not trunk.habitus.tip - 3 < trunk.height < trunk.habitus.right_dome + 6:
        return
    whole = _right_lobe(trunk, lobes, streams[0]) | _left_lobe(trunk, lobes, streams[1])
    whole = (whole - _beds(trunk, streams[2])).grown(rough)
    room = np.maximum(trunk.below + _sheet_mm(trunk), 0.3 - canvas.occupied)
    whole = whole.within(room).within(trunk.cavity_distance + trunk.habitus.ascites_mm)
    canvas.paint(whole, mix, LIVER)
    _ligament(trunk, whole, streams[3])
    canvas.occupy(whole.grown(0.6))
    for vessel, tissue in (*hepatic_veins(trunk, rng), *portal_veins(trunk, rng)):
        canvas.paint(vessel & whole.grown(-1.5), {tissue: 0.8, "liver": 0.2}, LIVER)
    liver_lesions(trunk, whole, rng)


def _sheet_mm(trunk: Trunk) -> float:
    """Thickness of the diaphragm between liver and wall; under the dome, none is seen."""
    return float(np.interp(trunk.habitus.right_dome - trunk.height, [20, 60], [0.2, 2.0]))


def _right_lobe(trunk: Trunk, lobes: _Lobes, rng: Rng) -> Shape:
    half, k, tip = trunk.wall_half_width, trunk.body.scale, trunk.habitus.tip
    span = trunk.habitus.right_dome - tip
    middle = tip + 0.66 * span
    low = float(np.clip((middle - trunk.height) / (middle - tip), 0, 1))
    a, b = lobes.width * half, 95 * k * lobes.depth
    x = -0.42 * half - 6 - 0.2 * half * low  # below, the lobe lies at the side
    solid = Solid(
        (x, trunk.middle - 2 - rng.normal(4, 9) * low), (a, b), middle, middle - tip, 0.12, 2.3,
        wobble(rng, 0.04), end_power=2.2,
    )  # fmt: skip
    return cut(trunk, solid)


def _left_lobe(trunk: Trunk, lobes: _Lobes, rng: Rng) -> Shape:
    """The left lobe, a wedge behind the front wall that ends higher than the right lobe."""
    half, k = trunk.wall_half_width, trunk.body.scale
    top = trunk.habitus.right_dome + 6
    middle = (top + lobes.left_bottom) / 2
    solid = Solid(
        ((lobes.reach - lobes.left_width) * half, trunk.top + 42 * k),
        (lobes.left_width * half, lobes.left_depth * k), middle + 8, middle + 8 - lobes.left_bottom,
        -0.10, 1.9, wobble(rng, 0.06), end_power=2.5,
    )  # fmt: skip
    return cut(trunk, solid)


def _beds(trunk: Trunk, rng: Rng) -> Shape:
    """Hollows: of the spine and the great vessels, of the stomach, of the kidney."""
    canvas, k, y, half = trunk.canvas, trunk.body.scale, trunk.spine_y, trunk.wall_half_width
    spine = Ellipse((10, y - 8), (38 * k, 42 * k), 0.2, 2, wobble(rng, 0.06))
    stomach = Ellipse((0.40 * half, trunk.top + 98 * k), (62 * k, 44 * k), -0.2, 2,
                      wobble(rng, 0.08))  # fmt: skip
    deep = float(along(trunk.height, KIDNEY_BED))
    kidney = Ellipse(
        (-50 * k, y + 14), ((26 + 20 * deep) * k, (10 + 36 * deep) * k), -0.2, 2, wobble(rng, 0.06)
    )
    hilum = Solid((-8 * k, trunk.middle + 4), (42 * k, 26 * k), 86, 34, -0.3, 2, wobble(rng, 0.1))
    beds = canvas.ellipse(spine) | canvas.ellipse(stomach) | cut(trunk, hilum)
    low = float(np.clip((100 - trunk.height) / 65, 0, 1))  # bowel lies medially below the hilum
    medial = Ellipse((0.05 * half, trunk.middle), (0.62 * half * low, 120 * k * low), 0, 2.4)
    if deep > 0:
        beds = beds | canvas.ellipse(kidney)
    return beds | canvas.ellipse(medial) if low > 0.1 else beds


def _ligament(trunk: Trunk, whole: Shape, rng: Rng) -> None:
    """The fissure of the round ligament, which parts the lobes below in many bodies."""
    x, y = rng.normal(2, 7), trunk.top + 28
    wide = float(np.clip((118 - trunk.height) / 40, 0, 1))
    deep, apart = y + 28 + 40 * wide, wide * max(0.0, rng.normal(2, 6))
    path = np.array([(x, y - 20, 1.0), (x + 3, y + 6, 1.6), (x - 2, y + 28, 2.6), (x, deep, 1.6)])
    path[:, 2] *= wide * rng.uniform(0.6, 1.8)
    path[:, 2] += apart
    uneven = 0.6 * trunk.canvas.field(rng, 4)
    if wide > 0:
        fissure = trunk.canvas.tube(path).grown(uneven) & whole.grown(0.5)
        trunk.canvas.paint(fissure, {"adipose": 0.9, "portal_vein": 0.1})
