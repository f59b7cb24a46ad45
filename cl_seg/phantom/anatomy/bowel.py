"""Colon, duodenum and small bowel: winding tubes with a wall, packed into what space is left."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.shapes import Field, Rng, Shape
from cl_seg.phantom.anatomy.torso import Torso

Filling = Literal["collapsed", "fluid", "gas", "stool", "oral_contrast"]
FillingShares = Sequence[tuple[Filling, float]]

COLON: FillingShares = (("stool", 0.45), ("gas", 0.35), ("collapsed", 0.20))
TRANSVERSE: FillingShares = (("stool", 0.25), ("gas", 0.55), ("collapsed", 0.20))
SMALL: FillingShares = (("collapsed", 0.62), ("fluid", 0.28), ("gas", 0.07), ("stool", 0.03))


def draw_filling(rng: Rng, choices: FillingShares) -> Filling:
    """One of the fillings, by their shares."""
    return choices[int(rng.choice(len(choices), p=[share for _, share in choices]))][0]


def winding_path(
    rng: Rng, start: tuple[float, float], radius: float, steps: int, bend: float
) -> npt.NDArray[np.float64]:
    """A path of x, y and radius that turns at random; its middle lies at ``start``."""
    heading = rng.uniform(0, 2 * np.pi)
    turns = np.cumsum(rng.normal(0, bend, steps)) + heading
    sizes = radius * (1 + 0.14 * rng.standard_normal(steps + 1))
    x = np.concatenate([[0], np.cumsum(0.85 * radius * np.cos(turns))])
    y = np.concatenate([[0], np.cumsum(0.85 * radius * np.sin(turns))])
    return np.column_stack([x - x.mean() + start[0], y - y.mean() + start[1], sizes])


def paint_bowel(
    torso: Torso, rng: Rng, loop: Shape, filling: Filling, textures: Sequence[Field]
) -> None:
    """Paint a cut of bowel: its wall with folds, then what fills it.

    Args:
        torso: where it lies.
        rng: of its thickness and fluid level.
        loop: what was left of its shape.
        filling: what it holds.
        textures: coarse and fine random fields for folds and stool.
    """
    canvas, (coarse, fine) = torso.canvas, textures
    canvas.paint(loop, {"bowel_wall": 1.0})
    wall = rng.uniform(1.4, 2.4) + np.clip(0.8 * coarse, -0.8, 2.5)
    inside = loop.grown(-wall)
    if filling == "collapsed":
        # Folds lie against each other with a little fluid between them.
        folds = np.clip(0.62 + 0.25 * fine + 0.15 * coarse, 0.2, 1).astype(np.float32)
        canvas.paint(inside, {"bowel_wall": folds, "fluid": 1 - folds})
    elif filling == "stool":
        _stool(torso, inside, textures)
    else:
        content = "oral_contrast" if filling == "oral_contrast" else "fluid"
        folds = np.clip(0.12 * (1 + fine), 0, 0.4).astype(np.float32)
        canvas.paint(inside, {content: 1 - folds, "bowel_wall": folds})
    if filling in {"gas", "stool"}:
        _gas(torso, rng, inside, 0.75 if filling == "gas" else 0.2)


def _stool(torso: Torso, inside: Shape, textures: Sequence[Field]) -> None:
    coarse, fine = textures
    solid = np.clip(0.35 + 0.2 * coarse, 0, 0.8)
    gas = np.clip(0.9 * (fine + 0.4 * coarse - 0.9), 0, 0.95)
    rest = 1 - gas
    torso.canvas.paint(inside, {
        "air": gas,
        "fluid": (1 - solid) * rest,
        "adipose": 0.45 * solid * rest,
        "bowel_wall": 0.55 * solid * rest,
    })  # fmt: skip


def _gas(torso: Torso, rng: Rng, inside: Shape, share: float) -> None:
    """Gas above a level that leaves it about so much of the height."""
    fullness = rng.uniform(0.4, 1.3) * share  # drawn even where the loop has left the slice
    rows = np.flatnonzero((inside.distance < 0).any(axis=1))
    if not len(rows):
        return
    top = float(torso.canvas.unwarped_y[inside.box[0]][rows[0], 0])
    height = len(rows) * torso.canvas.grid.spacing_mm
    level = top + fullness * height
    torso.canvas.paint(inside.within(torso.canvas.above(level)), {"air": 1.0})


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
        paint_bowel(
            torso, rng, canvas.place(loop, {"adipose": 1.0}), draw_filling(rng, choices), textures
        )
    low = torso.top + float(np.median(torso.wall_mm)) + rng.uniform(18, 30)
    for start, end in ((-0.55, -0.12), (-0.05, 0.5)):
        if rng.random() < 0.15:
            continue
        x = np.linspace(start, end, 5) * edge + rng.normal(0, 6, 5)
        sag = low + 16 * (x / (0.55 * edge)) ** 2 + rng.normal(0, 4, 5)
        radius = rng.uniform(11, 18) * k * (1 + 0.12 * rng.standard_normal(5))
        loop = canvas.tube(np.column_stack([x, sag, radius])).grown(haustra)
        loop = canvas.place(loop.within(torso.cavity_distance + 2), {"adipose": 1.0})
        paint_bowel(torso, rng, loop, draw_filling(rng, TRANSVERSE), textures)


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
    """Loops packed in front of the great vessels."""
    canvas, k = torso.canvas, torso.body.scale
    textures = canvas.field(rng, 3.5), canvas.field(rng, 1.4)
    fluid: Filling = "oral_contrast" if torso.preparation.oral_contrast else "fluid"
    half = 0.72 * torso.wall_half_width
    front, back = torso.top + 34, torso.spine_y - 36 * k
    room = (-half, half, min(front, back - 30), back)
    for path in pack_paths(torso, rng, rng.uniform(75, 110) * 100 * k**2, room):
        filling = draw_filling(rng, SMALL)
        loop = canvas.tube(path, tuple(rng.normal(0, 0.15, 2))).grown(textures[0])
        loop = canvas.place(loop.within(torso.cavity_distance + 3), {"adipose": 1.0})
        paint_bowel(torso, rng, loop, fluid if filling == "fluid" else filling, textures)


def pack_paths(
    torso: Torso, rng: Rng, area_mm2: float, room: tuple[float, float, float, float]
) -> list[npt.NDArray[np.float64]]:
    """Paths that keep apart, until their tubes cover so much or there is no room left.

    Args:
        torso: whose size they have.
        rng: of the paths.
        area_mm2: to cover.
        room: left, right, front and back of where their middles may lie.
    """
    left, right, front, back = room
    k = torso.body.scale
    paths: list[npt.NDArray[np.float64]] = []
    for _ in range(400):
        start = (rng.uniform(left, right), rng.uniform(front, back))
        path = winding_path(rng, start, rng.uniform(8, 12.5) * k, int(rng.integers(1, 5)), 0.7)
        taken = np.concatenate(paths) if paths else np.zeros((0, 3))
        apart = np.hypot(*(path[:, None, :2] - taken[None, :, :2]).transpose(2, 0, 1))
        if (apart > 0.85 * (path[:, None, 2] + taken[None, :, 2])).all():
            paths.append(path)
            area_mm2 -= np.pi * path[0, 2] ** 2 + 2 * 0.85 * path[1:, 2] @ path[:-1, 2]
        if area_mm2 < 0:
            break
    return paths
