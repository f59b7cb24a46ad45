"""Organs in three dimensions, cut at the heights of a slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.shapes import Ellipse, Shape
from cl_seg.phantom.anatomy.trunk.section import Trunk

NEAR_MM = 4.0  # a tube is cut where it comes as close as this to the slice
SMALLEST = 0.02  # share of a solid's radius left at its ends


@dataclass(frozen=True)
class Solid:
    """A superellipsoid.

    Attributes:
        centre: (x, y) in mm at the height of its middle.
        radii: half axes in mm there.
        height: of its middle.
        half_height: from its middle to its ends, in mm of the average man.
        angle: rotation in the plane in radians.
        power: of its outline: 2 an ellipse.
        wobble: of its outline.
        lean: (dx/dz, dy/dz) of its axis.
        end_power: how blunt its ends are: 2 an ellipsoid.
    """

    centre: tuple[float, float]
    radii: tuple[float, float]
    height: float
    half_height: float
    angle: float = 0.0
    power: float = 2.0
    wobble: npt.NDArray[np.float64] | None = None
    lean: tuple[float, float] = (0.0, 0.0)
    end_power: float = 2.0


def cut(trunk: Trunk, solid: Solid) -> Shape:
    """The section of a solid."""
    above = trunk.heights - solid.height
    full = 1 - np.abs(above / solid.half_height) ** solid.end_power
    size = np.maximum(np.maximum(full, 0) ** (1 / solid.end_power), SMALLEST)
    (x, y), (a, b) = solid.centre, solid.radii
    section = Ellipse(
        (x + solid.lean[0] * above, y + solid.lean[1] * above), (a * size, b * size), solid.angle,
        solid.power, solid.wobble,
    )  # fmt: skip
    beyond = trunk.body.scale * (np.abs(above) - solid.half_height)
    shape = trunk.canvas.ellipse(section)
    return Shape(shape.box, np.maximum(shape.distance, beyond.astype(np.float32)))


def cut_tube(trunk: Trunk, path: npt.NDArray[np.float64]) -> list[Shape]:
    """The sections of a tube, one for every time that it passes through the slice.

    Args:
        trunk: with the heights of the slice.
        path: (points, 4) of x, y, height and radius along the tube.
    """
    above = trunk.body.scale * np.abs(path[:, 2] - trunk.heights[:, :, 0])  # (heights, points)
    radius = path[:, 3]
    inside = np.maximum(radius**2 - above**2, 0)
    section = np.where(above < radius, np.sqrt(inside), radius - above)
    near = np.flatnonzero((above < radius + NEAR_MM).any(axis=0))
    runs = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1) if len(near) else []
    shapes = []
    for run in runs:
        ends = slice(max(run[0] - 1, 0), run[-1] + 2)
        place = np.broadcast_to(path[ends, :2], (len(section), *path[ends, :2].shape))
        shapes.append(trunk.canvas.tube(np.dstack([place, section[:, ends]])))
    return shapes


def joined(shapes: list[Shape]) -> Shape:
    """Inside any of the shapes, of which there is at least one."""
    return reduce(Shape.__or__, shapes)


def curved(points: Sequence[Sequence[float]], step_mm: float = 6.0) -> npt.NDArray[np.float64]:
    """A path through points (x, y, height, radius), in steps of about ``step_mm``."""
    given = np.array(points, np.float64)
    lengths = np.linalg.norm(np.diff(given[:, :3], axis=0), axis=1)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    places = np.linspace(0, ends[-1], max(2, int(np.ceil(ends[-1] / step_mm)) + 1))
    return np.column_stack([np.interp(places, ends, column) for column in given.T])
