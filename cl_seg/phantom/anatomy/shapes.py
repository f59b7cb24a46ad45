"""Implicit shapes: signed distances in mm, kept only where they matter, combined as sets.

A :class:`Shape` holds distances (negative inside) on a rectangle of a grid and counts as far away
elsewhere, so that a small vessel costs little on a large grid.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator
Box = tuple[slice, slice]

FAR = np.float32(60.0)  # distance in mm given to everything outside the box of a shape


@dataclass(frozen=True)
class Shape:
    """Signed distance in mm on a box of the grid.

    Attributes:
        box: (rows, columns) of the grid.
        distance: values there; ``FAR`` everywhere else.
    """

    box: Box
    distance: Field

    @classmethod
    def over_grid(cls, distance: Field) -> "Shape":
        """The shape of distances over the whole grid (N, N), on the smallest box that holds it."""
        rows, columns = (np.flatnonzero((distance < 3).any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return cls((slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.float32))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return cls(box, distance[box].astype(np.float32, copy=False))

    def on(self, box: Box) -> Field:
        """Distances on any box."""
        if box == self.box:
            return self.distance
        result = np.full([part.stop - part.start for part in box], FAR, np.float32)
        shared = _overlap(self.box, box)
        result[_within(shared, box)] = self.distance[_within(shared, self.box)]
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
        """Inside this one and where a field (N, N) over the whole grid is negative."""
        return Shape(self.box, np.maximum(self.distance, field[self.box]))

    def grown(self, millimetres: float | Field) -> "Shape":
        """Larger all around, by a number or by a field (N, N) over the whole grid."""
        return Shape(self.box, self.distance - self._here(millimetres))

    def shell(self, millimetres: float | Field) -> "Shape":
        """A layer about the surface, as thick as a number or a field (N, N) says."""
        return Shape(self.box, np.abs(self.distance) - self._here(millimetres) / 2)

    def _here(self, value: float | Field) -> Field | np.float32:
        return value[self.box] if isinstance(value, np.ndarray) else np.float32(value)


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


@dataclass(frozen=True)
class Ellipse:
    """A superellipse with an uneven outline, at one height of the body.

    Attributes:
        centre: (x, y) in mm.
        radii: half axes in mm.
        angle: rotation in radians, clockwise in the image.
        power: 2 an ellipse, larger more rectangular.
        wobble: (harmonics, 3) order, relative amplitude and phase of the outline, or None.
        drift: (dx/dz, dy/dz), how far the centre moves per mm towards the head.
        growth: change of both half axes in mm per mm towards the head.
    """

    centre: tuple[float, float]
    radii: tuple[float, float]
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


def ellipse_distance(ellipse: Ellipse, x: Field, y: Field) -> Field:
    """Approximate signed distance to an ellipse at points x, y in mm (first order)."""
    (a, b), cos, sin = ellipse.radii, np.cos(ellipse.angle), np.sin(ellipse.angle)
    dx, dy = x - np.float32(ellipse.centre[0]), y - np.float32(ellipse.centre[1])
    u, v = (dx * cos + dy * sin) / a, (dy * cos - dx * sin) / b
    flat = np.hypot(u, v)
    p = ellipse.power
    radius = flat if p == 2 else (np.abs(u) ** p + np.abs(v) ** p) ** (1 / p)
    gradient = np.hypot(u / a, v / b) / np.maximum(flat, 1e-3)
    if ellipse.wobble is not None:
        angle = np.arctan2(v, u)
        outline = sum(h * np.cos(n * angle + phase) for n, h, phase in ellipse.wobble)
        radius = radius / np.maximum(1 + outline, 0.2)
    distance: Field = ((radius - 1) / np.maximum(gradient, 1e-4)).astype(np.float32)
    return distance


def tube_distance(path: npt.NDArray[np.float64], x: Field, y: Field) -> Field:
    """Signed distance to a tube about a path.

    Args:
        path: (points, 3) x, y and radius in mm along the path.
        x: points in mm.
        y: points in mm.
    """
    distance = np.full(np.broadcast(x, y).shape, FAR, np.float32)
    for (ax, ay, ar), (bx, by, br) in pairwise(path):
        length = max((bx - ax) ** 2 + (by - ay) ** 2, 1e-6)
        dx, dy = x - np.float32(ax), y - np.float32(ay)
        along = np.clip((dx * (bx - ax) + dy * (by - ay)) / length, 0, 1).astype(np.float32)
        across = np.hypot(dx - along * np.float32(bx - ax), dy - along * np.float32(by - ay))
        np.minimum(distance, across - (ar + along * np.float32(br - ar)), out=distance)
    return distance
