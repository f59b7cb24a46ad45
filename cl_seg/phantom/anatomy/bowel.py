"""Colon, duodenum and small bowel, packed into the space that is left."""

import numpy as np

from cl_seg.phantom.anatomy.loops import (
    Filling,
    FillingShares,
    draw_filling,
    pack_paths,
    paint_bowel,
    paint_loop,
    winding_path,
)
from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.phantom.anatomy.torso import Torso

COLON: FillingShares = (("stool", 0.45), ("gas", 0.35), ("collapsed", 0.20))
TRANSVERSE: FillingShares = (("stool", 0.25), ("gas", 0.55), ("collapsed", 0.20))
SMALL: FillingShares = (("collapsed", 0.62), ("fluid", 0.28), ("gas", 0.07), ("stool", 0.03))


def colon(torso: Torso, rng: Rng) -> None:
    """Ascending, transverse and descending colon at L3, with haustra."""
    canvas, edge, k = torso.canvas, torso.wall_half_width, torso.body.scale
    textures = canvas.field(rng, 3.5), canvas.field(rng, 1.5)
    haustra = 1.2 * canvas.field(rng, 7)
    tilt = rng.normal(0, 6)
    right = (34 * k - edge + 18, torso.middle + 14 + tilt)
    left = (edge - 32 * k - rng.uniform(0, 8), torso.middle + 22 + rng.normal(0, 8))
    places = (
        (winding_path(rng, right, rng.uniform(18, 25) * k, 2, 0.3), COLON),
        (winding_path(rng, left, rng.uniform(10, 16) * k, 1, 0.3), COLON),
    )
    for path, choices in places:
        loop = canvas.tube(path).grown(haustra).within(torso.cavity_distance + 2)
        paint_loop(torso, rng, loop, choices, textures)
    wall_mm = np.median(canvas.on_grid(torso.grid_wall_mm), axis=(1, 2))
    low = torso.top + wall_mm[:, None] + rng.uniform(18, 30)
    for start, end in ((-0.55, -0.12), (-0.05, 0.5)):
        if rng.random() < 0.15:
            continue
        x = np.linspace(start, end, 5) * edge + rng.normal(0, 6, 5)
        sag = low + 16 * (x / (0.55 * edge)) ** 2 + rng.normal(0, 4, 5)
        radius = rng.uniform(11, 18) * k * (1 + 0.12 * rng.standard_normal(5))
        path = np.stack(np.broadcast_arrays(x, sag, radius), axis=-1)
        loop = canvas.tube(path).grown(haustra)
        paint_loop(torso, rng, loop.within(torso.cavity_distance + 2), TRANSVERSE, textures)


def upper_colon(torso: Torso, rng: Rng) -> None:
    """Splenic flexure and transverse colon in front of and beside the stomach."""
    canvas, half, k = torso.canvas, torso.wall_half_width, torso.body.scale
    textures = canvas.field(rng, 3.5), canvas.field(rng, 1.5)
    places = (
        (half - 38 * k, torso.middle - 16 + rng.normal(0, 6)),
        (half - 52 * k + rng.normal(0, 6), torso.middle - 48 + rng.normal(0, 6)),
        (rng.normal(22, 8) * k, torso.top + rng.normal(34, 4)),
    )
    for place in places:
        path = winding_path(rng, place, rng.uniform(11, 17) * k, 2, 0.5)
        loop = canvas.tube(path).grown(1.2 * textures[0]).within(torso.cavity_distance + 3)
        paint_loop(torso, rng, loop, TRANSVERSE, textures, 1.0)


def duodenum(torso: Torso, rng: Rng) -> None:
    """The third part, which crosses between the great and the mesenteric vessels in many."""
    if rng.random() > 0.6:
        return
    canvas, k = torso.canvas, torso.body.scale
    y = torso.spine_y - 43 * k
    path = np.array([(-50 * k, y + 6, 10), (-28 * k, y + 1, 8.5), (0, y, 6.5), (22 * k, y - 2, 7)])
    path += np.column_stack([rng.normal(0, 2, (4, 2)), rng.normal(0, 0.6, 4)])
    textures = canvas.field(rng, 3), canvas.field(rng, 1.5)
    loop = canvas.place(canvas.tube(path).grown(0.8 * textures[0]), {"adipose": 1.0})
    paint_bowel(torso, rng, loop, "collapsed" if rng.random() < 0.6 else "fluid", textures)


def small_bowel(torso: Torso, rng: Rng) -> None:
    """Loops in front of the great vessels."""
    half, k = 0.72 * torso.wall_half_width, torso.body.scale
    front, back = torso.top + 34, torso.spine_y - 36 * k
    room = (-half, half, min(front, back - 30), back)
    fluid: Filling = "oral_contrast" if torso.preparation.oral_contrast else "fluid"
    _small_loops(torso, rng, (75, 110), room, fluid)


def jejunum(torso: Torso, rng: Rng) -> None:
    """Loops behind and below the stomach, where there is room."""
    k = torso.body.scale
    room = (15 * k, torso.wall_half_width - 40 * k, torso.middle - 20, torso.middle + 26)
    _small_loops(torso, rng, (0, 45), room, "fluid")


def _small_loops(
    torso: Torso,
    rng: Rng,
    area_cm2: tuple[float, float],
    room: tuple[float, float, float, float],
    fluid: Filling,
) -> None:
    """Small bowel that covers an area drawn from a range, as far as there is room."""
    canvas = torso.canvas
    textures = canvas.field(rng, 3.5), canvas.field(rng, 1.4)
    area_mm2 = rng.uniform(*area_cm2) * 100 * torso.body.scale**2
    for path in pack_paths(torso, rng, area_mm2, room):
        filling = draw_filling(rng, SMALL)
        loop = canvas.tube(path, tuple(rng.normal(0, 0.15, 2))).grown(textures[0])
        loop = canvas.place(loop.within(torso.cavity_distance + 3), {"adipose": 1.0})
        paint_bowel(torso, rng, loop, fluid if filling == "fluid" else filling, textures)
