"""A canvas in millimetres at heights of a body: shapes painted as tissue fractions and labels.

x runs to the image's right (the patient's left), y down (posterior), z towards the head; the
origin is the middle of the slice. Nothing random depends on the pixel grid: the same streams on
another grid, or at another height, belong to the same body.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.field import Box, Field, Floats, Samples, in_strips, smallest_box
from cl_seg.phantom.anatomy.layers import Layer, Mix, add_visible
from cl_seg.phantom.anatomy.random_field import RandomField
from cl_seg.phantom.anatomy.shapes import (
    FAR,
    Ellipse,
    Rng,
    Shape,
    ellipse_distance,
    ellipse_reach,
    tiles,
    tube_distance,
)
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid

WARP_MM = ((45.0, 3.5), (9.0, 0.7))  # length and size of the warp of all shapes (engineering)
MARGIN_MM = 8.0  # around a shape, within which its distance is known


class Canvas:
    """Layers of tissues, labels and occupied space of a few heights; starts as air.

    All arrays cover a window of the grid, outside of which is nothing but air.

    Attributes:
        grid: pixels of the whole slice.
        window: box of the grid, of R rows and C columns.
        z_mm: (heights, 1, 1) above the middle of the level.
        x: field of the warped x in mm, in which all shapes are defined.
        y: field of the warped y in mm.
        unwarped_y: field of y in mm, for horizontal fluid levels.
        gravity_y: field of the warped y in mm of a patient who is not turned.
        labels: (heights, R, C) uint8.
        occupied: field of the distance in mm to what has been placed.
    """

    def __init__(
        self,
        grid: Grid,
        rng: Rng,
        z_mm: float | npt.ArrayLike = 0.0,
        reach_mm: tuple[float, float] = (np.inf, np.inf),
        turn: float = 0.0,
    ) -> None:
        """Warp the coordinates of an empty canvas.

        Args:
            grid: pixels of the whole slice.
            rng: of the warp.
            z_mm: one height or several.
            reach_mm: largest |x| and |y| that anything is painted at.
            turn: of the patient about the long axis in radians, clockwise in the image.
        """
        self.turn = turn
        self.grid, self.window = grid, (slice(0, grid.size), slice(0, grid.size))
        self.z_mm = np.reshape(np.asarray(z_mm, np.float64), (-1, 1, 1))
        axis = ((np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm).astype(np.float32)
        across, down = (np.broadcast_to(a, (grid.size,) * 2) for a in (axis, axis[:, None]))
        x: Field = Samples(across)
        y: Field = Samples(down)
        for length, size in WARP_MM:
            x = x + size * self.field(rng, length)
            y = y + size * self.field(rng, length)
        warped_x, warped_y = self.sampled(x).values, self.sampled(y).values
        upright = warped_y
        if turn:
            warped_x, warped_y = _turned(warped_x, warped_y, -turn)
        reached = np.maximum(np.abs(warped_x) / reach_mm[0], np.abs(warped_y) / reach_mm[1])
        self.window = smallest_box(reached.min(axis=0) < 1)
        self.x, self.y = Samples(warped_x, self.window), Samples(warped_y, self.window)
        self.unwarped_y = Samples(down, self.window)
        self.gravity_y = Samples(upright, self.window)
        shape = self.x.on(self.everywhere).shape
        self.labels = np.zeros(shape, np.uint8)
        self.occupied = Samples(np.full(shape, FAR, np.float32))
        self._layers: list[Layer] = []

    @property
    def everywhere(self) -> Box:
        """The box of the whole canvas."""
        rows, columns = (slice(0, part.stop - part.start) for part in self.window)
        return rows, columns

    def field(self, rng: Rng, length_mm: float) -> Field:
        """A smooth random field on this canvas, see :class:`RandomField`."""
        return RandomField(rng, self.grid, self.window, length_mm, self.z_mm)

    def streaks(self, rng: Rng, length_mm: float, width: float, height: float) -> Field:
        """Thin wavy sheets, as septa and vessels in fat, as a fraction from 0 to ``height``."""
        ridge = np.clip(1.5 - np.abs(self.field(rng, length_mm)) / width, 0, 1)
        patches = np.clip(1 + 2 * self.field(rng, 5 * length_mm), 0, 1)
        streaks: Field = height * ridge * patches
        return streaks

    def above(self, level_mm: float | Floats) -> Field:
        """Signed distance to horizontal planes at y = ``level_mm``, negative above them."""
        distance: Field = self.unwarped_y - level_mm
        return distance

    def sampled(self, field: Field) -> Samples:
        """A field that is read many times, computed once on the whole canvas."""
        return Samples(in_strips(self.everywhere, len(self.z_mm), field.on))

    def on_grid(self, field: Field) -> Floats:
        """A field of random fields and coordinates on the whole grid, (heights, N, N)."""
        rows, columns = (slice(-part.start, self.grid.size - part.start) for part in self.window)
        return in_strips((rows, columns), len(self.z_mm), field.on)

    def shape(self, distance: Field) -> Shape:
        """The shape of a signed distance over the whole canvas."""
        return Shape.over_grid(self.sampled(distance).values)

    def ellipse(self, ellipse: Ellipse) -> Shape:
        """An ellipse at the heights of this canvas."""
        (x, y), (a, b), z = ellipse.centre, ellipse.radii, self.z_mm
        grow = ellipse.growth * z
        here = replace(
            ellipse,
            centre=(x + ellipse.drift[0] * z, y + ellipse.drift[1] * z),
            radii=(np.maximum(a + grow, 0.05 * a), np.maximum(b + grow, 0.05 * b)),
        )
        centre = np.stack([np.asarray(place) for place in here.centre], axis=-1)
        box = self._box(centre, ellipse_reach(here))
        return self._shape(box, partial(ellipse_distance, here))

    def tube(self, path: npt.NDArray[np.float64], drift: tuple[float, float] = (0.0, 0.0)) -> Shape:
        """A tube at the heights of this canvas.

        Args:
            path: (points, 3) of x, y and radius in mm, or (heights, points, 3).
            drift: of the path per mm towards the head.
        """
        here = path + self.z_mm * [*drift, 0.0]
        box = self._box(here[..., :2], (float(here[..., 2].max()),) * 2)
        return self._shape(box, partial(tube_distance, here))

    def _shape(self, box: Box, distance: Callable[[Floats, Floats], Floats]) -> Shape:
        def on(strip: Box) -> Floats:
            return distance(self.x.on(strip), self.y.on(strip))

        return Shape(box, in_strips(box, len(self.z_mm), on))

    def _box(self, points: npt.NDArray[np.floating], reach: tuple[float, float]) -> Box:
        """Pixels within a reach of points (…, 2) of x and y in mm, and within a margin of it."""
        warped = sum(3 * size for _, size in WARP_MM) / 2
        if self.turn:
            points = np.stack(_turned(points[..., 0], points[..., 1], self.turn), axis=-1)
            reach = (float(np.hypot(*reach)),) * 2
        parts = []
        for axis, window in zip((1, 0), self.window, strict=True):
            places, margin = points[..., axis], reach[axis] + MARGIN_MM + warped
            middle = (self.grid.size - 1) / 2 - window.start
            first = (places.min() - margin) / self.grid.spacing_mm + middle
            last = (places.max() + margin) / self.grid.spacing_mm + middle + 2
            size = window.stop - window.start
            parts.append(slice(*(int(min(max(end, 0), size)) for end in (first, last))))
        return parts[0], parts[1]

    def place(self, shape: Shape, mix: Mix, label: int | None = 0, gap_mm: float = 0.8) -> Shape:
        """Paint an organ into the space that is left, and keep that space from later ones.

        Args:
            shape: of the organ.
            mix: its tissues.
            label: see :meth:`paint`.
            gap_mm: of fat left between it and its neighbours.

        Returns:
            What was left of the shape.
        """
        free = shape.within(gap_mm - self.occupied)
        self.paint(free, mix, label)
        self.occupy(free)
        return free

    def occupy(self, shape: Shape) -> None:
        """Keep the space of a shape from organs placed later."""
        occupied = self.occupied.on(shape.box)
        np.minimum(occupied, shape.distance, out=occupied)

    def paint(self, shape: Shape, mix: Mix, label: int | None = 0) -> None:
        """Paint a tissue mix over a shape; edges are anti-aliased.

        Args:
            shape: where.
            mix: tissue fractions that sum to one.
            label: given to pixels covered by more than half; None leaves labels as they are.
        """
        for box, distance in tiles(shape, self.grid.spacing_mm / 2):
            cover = distance * np.float32(-1 / self.grid.spacing_mm)
            cover += np.float32(0.5)
            self._layers.append(Layer(box, np.clip(cover, 0, 1, out=cover), mix))
            if label is not None:
                np.copyto(self.labels[:, *box], label, where=cover > 0.5)

    def fractions(self) -> Floats:
        """Tissues that are seen, in the mean over the heights, (tissues, N, N).

        They are in the order of ``TISSUES`` and sum to one.
        """
        whole = np.zeros((len(TISSUES), self.grid.size, self.grid.size), np.float32)
        whole[TISSUES.index("air")] = 1
        seen = whole[:, *self.window]
        seen[TISSUES.index("air")] = 0
        add_visible(self._layers, len(self.z_mm), seen)
        return whole

    def over_grid(self, values: npt.NDArray[np.generic], outside: float) -> npt.NDArray[Any]:
        """Values (R, C) of the window on the whole grid, (N, N)."""
        whole = np.full((self.grid.size,) * 2, outside, values.dtype)
        whole[self.window] = values
        return whole


def _turned(x: Floats, y: Floats, angle: float) -> tuple[Floats, Floats]:
    """Points turned about the origin, clockwise in the image."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cos - y * sin, x * sin + y * cos
