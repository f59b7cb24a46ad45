"""Vertebrae, discs and what age does to them."""

import numpy as np

from cl_seg.phantom.anatomy.layers import Mix
from cl_seg.phantom.anatomy.shapes import Ellipse, Rng, Shape, wobble
from cl_seg.phantom.anatomy.skeleton import ARCH, SPINOUS, TRANSVERSE, arch_part, spongy_bone
from cl_seg.phantom.anatomy.trunk.positions import VERTEBRAE, disc_depth
from cl_seg.phantom.anatomy.trunk.section import Trunk

# Half axes of vertebral bodies of the average man.
WIDTH = {"L5": 26.5, "L3": 24.5, "L1": 22.5, "T12": 21.5, "T10": 18.5, "T8": 16.5}
DEPTH = {"L5": 17.5, "L3": 17.5, "L1": 16.5, "T12": 16, "T10": 15.5, "T8": 15}
SACRUM = -90.0  # below, there are no vertebrae
DISC: Mix = {"skin": 0.92, "bone": 0.08}


def vertebra(trunk: Trunk, rng: Rng) -> None:
    """A vertebra, or the disc between two, with their arch and canal."""
    canvas, k, y = trunk.canvas, trunk.body.scale * rng.normal(1, 0.03), trunk.spine_y
    rough = 0.45 * canvas.field(rng, 3) + 0.5 * canvas.field(rng, 8)
    uneven = np.clip(1 + 0.35 * canvas.field(rng, 5), 0.2, 2)
    spongy = spongy_bone(trunk, rng)
    outline, spurs, gas = wobble(rng, 0.015), wobble(rng, 0.09, (3, 4, 5, 7)), rng.random()
    if trunk.height < SACRUM:
        return
    size = (trunk.along(WIDTH) * k, trunk.along(DEPTH) * k)
    disc = float(disc_depth(trunk.height))
    body = canvas.ellipse(Ellipse((0, y), size, 0, 2.4, outline))
    if disc < 5:  # spurs grow at the edges of discs
        grown = 1 + 0.08 * trunk.habitus.wear
        edge = Ellipse((0, y), (size[0] * grown, size[1] * grown), 0, 2.4, spurs)
        body = body | canvas.ellipse(edge) if trunk.habitus.wear > 0.4 else body
    body = body - canvas.ellipse(Ellipse((0, y + size[1] + 9.5 * k), (16 * k, 11.5 * k)))
    arch = _arch(trunk, k)
    for shape, cortex_mm, dense in ((body, 0.5, 0.45), (arch, 1.1, 0.62)):
        canvas.paint(shape.grown(rough), {"bone": dense, "marrow": 1 - dense})
        canvas.paint(shape.grown(rough - cortex_mm * uneven), spongy)
        canvas.occupy(shape.grown(0.5))
    if disc < 0:
        _disc(trunk, body, gas)
    elif disc < 2.5:  # the end plate
        dense = 0.28 + 0.2 * trunk.habitus.wear
        canvas.paint(body.grown(-1), {"bone": dense, "marrow": 1 - dense})
    _canal(trunk, k, size[1])


def _arch(trunk: Trunk, k: float) -> Shape:
    """The parts of the arch that lie at this height of the vertebra."""
    above = min((trunk.height - middle for middle in VERTEBRAE.values()), key=abs)
    pedicle, lamina, joint = ARCH
    there = {
        pedicle: -4 < above < 13,
        lamina: True,
        joint: not -3 < above < 8,
        TRANSVERSE: abs(above - 2) < 7 and trunk.height < 80,
    }
    shape = arch_part(trunk, SPINOUS, k, 1) if above < 6 else None
    for x, *rest in (part for part, seen in there.items() if seen):
        for side in (-1, 1):
            part = arch_part(trunk, (x * side, *rest), k, side)
            shape = shape | part if shape else part
    assert shape
    return shape


def _disc(trunk: Trunk, body: Shape, gas: float) -> None:
    canvas, wear = trunk.canvas, trunk.habitus.wear
    canvas.paint(body.grown(0.5 + 2.0 * wear), dict(DISC))
    if gas < 0.5 * wear:  # a vacuum
        y = trunk.spine_y - 2
        crack = np.array([(-9, y + 2, 1.2), (2, y - 1, 1.8), (10, y + 1, 1.0)])
        canvas.paint(canvas.tube(crack), {"air": 0.8, "skin": 0.2})


def _canal(trunk: Trunk, k: float, depth: float) -> None:
    canvas, y = trunk.canvas, trunk.spine_y + depth
    cord = 8.2 if trunk.height < 80 else 7.4
    canvas.paint(
        canvas.ellipse(Ellipse((0, y + 9 * k), (11 * k, cord * k), power=2.2)), {"adipose": 1.0}
    )
    canvas.paint(canvas.ellipse(Ellipse((0, y + 8.7 * k), (9 * k, (cord - 1.6) * k))), {"csf": 1.0})
