"""Loops of bowel: winding tubes that keep apart, with a wall and a filling."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.field import Field
from cl_seg.phantom.anatomy.shapes import Rng, Shape
from cl_seg.phantom.anatomy.torso import Torso

Filling = Literal["collapsed", "fluid", "gas", "stool", "oral_contrast"]
FillingShares = Sequence[tuple[Filling, float]]


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


def pack_paths(
    torso: Torso, rng: Rng, area_mm2: float, room: tuple[float, float, float, float]
) -> list[npt.NDArray[np.float64]]:
    """Paths whose tubes do not overlap, until they cover an area or there is no room left.

    Args:
        torso: its body's scale is that of the tubes.
        rng: of the paths.
        area_mm2: to cover.
        room: left, right, front and back of the area in which their middles lie.
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


def paint_loop(
    torso: Torso,
    rng: Rng,
    loop: Shape,
    shares: FillingShares,
    textures: Sequence[Field],
    gap_mm: float = 0.8,
) -> None:
    """Place a loop beside what is there already and paint it with a filling drawn by its share."""
    free = torso.canvas.place(loop, {"adipose": 1.0}, 0, gap_mm)
    paint_bowel(torso, rng, free, draw_filling(rng, shares), textures)


def paint_bowel(
    torso: Torso, rng: Rng, loop: Shape, filling: Filling, textures: Sequence[Field]
) -> None:
    """Paint the cross-section of a loop: its wall with folds, then its content.

    Args:
        torso: to paint on.
        rng: of the wall's thickness and the fluid level.
        loop: its shape.
        filling: its content.
        textures: coarse and fine random fields for folds and stool.
    """
    canvas, (coarse, fine) = torso.canvas, textures
    canvas.paint(loop, {"bowel_wall": 1.0})
    wall = rng.uniform(1.4, 2.4) + np.clip(0.8 * coarse, -0.8, 2.5)
    inside = loop.grown(-wall)
    if filling == "collapsed":
        # Folds lie against each other with a little fluid between them.
        folds = np.clip(0.62 + 0.25 * fine + 0.15 * coarse, 0.2, 1)
        canvas.paint(inside, {"bowel_wall": folds, "fluid": 1 - folds})
    elif filling == "stool":
        _stool(torso, inside, textures)
    else:
        content = "oral_contrast" if filling == "oral_contrast" else "fluid"
        folds = np.clip(0.12 * (1 + fine), 0, 0.4)
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
    """Gas at the top of a loop, over about a share of its height."""
    fullness = rng.uniform(0.4, 1.3) * share  # drawn even where the loop has left the slice
    inner_rows = (inside.distance < 0).any(axis=2)
    if not inner_rows.any():
        return
    y = torso.canvas.unwarped_y.on(inside.box)[:, 0]
    top = y[inner_rows.argmax(axis=1)]
    height = inner_rows.sum(axis=1) * torso.canvas.grid.spacing_mm
    level = (top + fullness * height)[:, None, None]
    torso.canvas.paint(inside.within(torso.canvas.above(level)), {"air": 1.0})
