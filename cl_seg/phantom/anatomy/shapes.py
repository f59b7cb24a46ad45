"""Implicit shapes: signed distances in mm, kept only where they matter, combined as sets.

A :class:`Shape` holds distances (negative inside) on a rectangle of a grid and counts as far away
elsewhere, so that a small vessel costs little on a large grid.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.field import (
    Box,
    Field,
    Floats,
    PerHeight,
    moved,
    smallest_box,
    values_on,
)

Rng = np.random.Generator

TILE = 96  # pixels; smaller tiles follow thin shapes more closely, larger ones need fewer calls
UNEVEN = 1.4  # how far outlines reach at most, relative to an ellipse (engineering value)
FAR = np.float32(60.0)  # distance in mm given to everything outside the box of a shape


@dataclass(frozen=True)
class Shape:
    """Signed distance in mm on a box of the grid, at one height or several.

    Attributes:
        box: (rows, columns) of the grid.
        distance: (heights, rows, columns) values there; ``FAR`` everywhere else.
    """

    box: Box
    distance: Floats

    @classmethod
    def over_grid(cls, distance: Floats) -> "Shape":
        """The shape of distances (heights, N, N), on the smallest box that holds it."""
        box = smallest_box(np.any(distance < 3, axis=0))
        return cls(box, distance[:, *box])

    def on(self, box: Box) -> Floats:
        """Distances on any box."""
        shared = _overlap(self.box, box)
        if shared == box:
            return self.distance[:, *_within(box, self.box)]
        size = [part.stop - part.start for part in box]
        result = np.full([len(self.distance), *size], FAR, np.float32)
        result[:, *_within(shared, box)] = self.distance[:, *_within(shared, self.box)]
        return result

    def __and__(self, other: "Shape") -> "Shape":
        """Inside both."""
        box = _overlap(self.box, other.box)
        return Shape(box, np.maximum(self.on(box), other.on(box)))

    def __or__(self, other: "Shape") -> "Shape":
        """Inside either."""
        box = _hull(self.box, other.box)
        return Shape(box, np.minimum(self.on(box), other.on(box)))

    def __sub__(self, other: "Shape") -> "Shape":
        """Inside this one but not the other."""
        return Shape(self.box, np.maximum(self.distance, -other.on(self.box)))

    def within(self, field: Field) -> "Shape":
        """Inside this one and where a field is negative."""
        return Shape(self.box, np.maximum(self.distance, field.on(self.box)))

    def grown(self, millimetres: float | Field) -> "Shape":
        """Larger all around, by a number or by a field."""
        return Shape(self.box, self.distance - values_on(millimetres, self.box))

    def shell(self, millimetres: float | Field) -> "Shape":
        """A layer about the surface, as thick as a number or a field says."""
        return Shape(self.box, np.abs(self.distance) - values_on(millimetres, self.box) / 2)


def _overlap(one: Box, other: Box) -> Box:
    start = [max(a.start, b.start) for a, b in zip(one, other, strict=True)]
    stop = [min(a.stop, b.stop) for a, b in zip(one, other, strict=True)]
    return slice(start[0], max(start[0], stop[0])), slice(start[1], max(start[1], stop[1]))


def _hull(one: Box, other: Box) -> Box:
    start = [min(a.start, b.start) for a, b in zip(one, other, strict=True)]
    stop = [max(a.stop, b.stop) for a, b in zip(one, other, strict=True)]
    return slice(start[0], stop[0]), slice(start[1], stop[1])


def _within(box: Box, outer: Box) -> Box:
    """A box in the coordinates of an outer one."""
    rows, columns = (
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, outer, strict=True)
    )
    return rows, columns


def tiles(shape: Shape, reach_mm: float) -> Iterator[tuple[Box, Floats]]:
    """Boxes of at most ``TILE`` pixels per side, and distances on them.

    Args:
        shape: to cut into tiles.
        reach_mm: tiles that lie farther away are left out.
    """
    near = np.any(shape.distance < reach_mm, axis=0)
    rows, columns = smallest_box(near)
    for top in range(rows.start, rows.stop, TILE):
        for left in range(columns.start, columns.stop, TILE):
            down = slice(top, min(top + TILE, rows.stop))
            across = slice(left, min(left + TILE, columns.stop))
            if near[down, across].any():
                yield moved((down, across), shape.box), shape.distance[:, down, across]


@dataclass(frozen=True)
class Ellipse:
    """A superellipse with an uneven outline.

    Attributes:
        centre: (x, y) in mm, numbers or one per height.
        radii: half axes in mm, likewise.
        angle: rotation in radians, clockwise in the image.
        power: 2 an ellipse, larger more rectangular.
        wobble: (harmonics, 3) order, relative amplitude and phase of the outline, or None.
        drift: (dx/dz, dy/dz), how far the centre moves per mm towards the head.
        growth: change of both half axes in mm per mm towards the head.
    """

    centre: tuple[PerHeight, PerHeight]
    radii: tuple[PerHeight, PerHeight]
    angle: float = 0.0
    power: float = 2.0
    wobble: npt.NDArray[np.float64] | None = None
    drift: tuple[float, float] = (0.0, 0.0)
    growth: float = 0.0


def wobble(
    rng: Rng, amplitude: float, orders: tuple[int, ...] = (2, 3, 4, 5)
) -> npt.NDArray[np.float64]:
    """Random harmonics of an outline, falling with their order."""
    heights = 2 * amplitude * rng.standard_normal(len(orders)) / orders
    return np.column_stack([orders, heights, rng.uniform(0, 2 * np.pi, len(orders))])


def ellipse_distance(ellipse: Ellipse, x: Floats, y: Floats) -> Floats:
    """Approximate signed distance to an ellipse at points x, y in mm (first order)."""
    (a, b), power = (np.float32(radius) for radius in ellipse.radii), np.float32(ellipse.power)
    cos, sin = np.float32(np.cos(ellipse.angle)), np.float32(np.sin(ellipse.angle))
    dx, dy = (p - np.float32(middle) for p, middle in zip((x, y), ellipse.centre, strict=True))
    u, v = (dx * cos + dy * sin) / a, (dy * cos - dx * sin) / b
    flat = vector_length(u, v)
    radius = flat if power == 2 else (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
    gradient = vector_length(u / a, v / b) / np.maximum(flat, np.float32(1e-3))
    if ellipse.wobble is not None:
        angle = np.arctan2(v, u)
        outline = sum(h * np.cos(n * angle + at) for n, h, at in ellipse.wobble.astype(np.float32))
        radius = radius / np.maximum(1 + outline, np.float32(0.2))
    distance: Floats = (radius - 1) / np.maximum(gradient, np.float32(1e-4))
    return distance


def ellipse_reach(ellipse: Ellipse) -> tuple[float, float]:
    """Largest |x| and |y| in mm of an uneven outline from the centre."""
    a, b = (float(np.max(radius)) for radius in ellipse.radii)
    cos, sin = np.cos(ellipse.angle), np.sin(ellipse.angle)
    return UNEVEN * float(np.hypot(a * cos, b * sin)), UNEVEN * float(np.hypot(a * sin, b * cos))


def tube_distance(path: npt.NDArray[np.floating], x: Floats, y: Floats) -> Floats:
    """Signed distance to a tube about a path.

    Args:
        path: (heights, points, 3) of x, y and radius in mm along the path, or (points, 3).
        x: (heights, rows, columns) in mm, or (rows, columns).
        y: the same.
    """
    points = path.astype(np.float32).T[..., None, None]  # (3, points, heights, 1, 1)
    ax, ay, ar = points[:, :-1]
    ex, ey, er = np.diff(points, axis=1)
    length = np.maximum(ex**2 + ey**2, np.float32(1e-6))
    dx, dy = x - ax, y - ay  # (segments, heights, rows, columns)
    along = np.clip((dx * ex + dy * ey) / length, 0, 1)
    across = vector_length(dx - along * ex, dy - along * ey)
    distance: Floats = np.minimum((across - (ar + along * er)).min(axis=0), FAR)
    return distance


def vector_length(x: Floats, y: Floats) -> Floats:
    """Length of vectors; several times faster than ``numpy.hypot``."""
    length: Floats = np.sqrt(x * x + y * y)
    return length
