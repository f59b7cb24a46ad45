"""A canvas in millimetres at one height of a body: shapes painted as tissue fractions and labels.

x runs to the image's right (the patient's left), y down (posterior), z towards the head; the
origin is the middle of the slice. Nothing random depends on the pixel grid: the same streams on
another grid, or at another height, belong to the same body.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.random_field import random_field
from cl_seg.phantom.anatomy.shapes import (
    FAR,
    Box,
    Ellipse,
    Field,
    Rng,
    Shape,
    ellipse_distance,
    tube_distance,
)
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid

Mix = dict[str, float | Field]  # tissue → its fraction

WARP_MM = ((45.0, 3.5), (9.0, 0.7))  # length and size of the warp of all shapes (engineering)
MARGIN_MM = 8.0  # around a shape, within which its distance is known


class Canvas:
    """Tissue fractions, labels and occupied space of one slice; starts as air.

    Attributes:
        grid: pixels of the canvas.
        z_mm: height above the middle of the level.
        x: (N, N) warped x in mm, in which all shapes are defined.
        y: (N, N) warped y in mm.
        unwarped_y: (N, 1) y in mm, for horizontal fluid levels.
        fractions: (tissues, N, N) in the order of ``TISSUES``, summing to one.
        labels: (N, N) uint8.
        occupied: (N, N) distance in mm to what has been placed.
    """

    def __init__(self, grid: Grid, rng: Rng, z_mm: float = 0.0) -> None:
        self.grid, self.z_mm = grid, z_mm
        axis = ((np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm).astype(np.float32)
        self.x = np.repeat(axis[None], grid.size, axis=0)
        self.y = np.repeat(axis[:, None], grid.size, axis=1)
        self.unwarped_y = axis[:, None]
        for length, size in WARP_MM:
            self.x += np.float32(size) * self.field(rng, length)
            self.y += np.float32(size) * self.field(rng, length)
        self.fractions = np.zeros((len(TISSUES), grid.size, grid.size), np.float32)
        self.fractions[TISSUES.index("air")] = 1
        self.labels = np.zeros((grid.size, grid.size), np.uint8)
        self.occupied = np.full((grid.size, grid.size), FAR, np.float32)
        self._painted = {"air"}

    def field(self, rng: Rng, length_mm: float) -> Field:
        """A smooth random field on this canvas, (N, N), see :func:`random_field`."""
        return random_field(rng, self.grid, length_mm, self.z_mm)

    def streaks(self, rng: Rng, length_mm: float, width: float, height: float) -> Field:
        """Thin wavy sheets, as septa and vessels in fat, as a fraction from 0 to ``height``."""
        ridge = np.clip(1.5 - np.abs(self.field(rng, length_mm)) / width, 0, 1)
        patches = np.clip(1 + 2 * self.field(rng, 5 * length_mm), 0, 1)
        return height * ridge * patches

    def above(self, level_mm: float) -> Field:
        """Signed distance to a horizontal plane at y = ``level_mm``, negative above it, (N, N)."""
        distance: Field = np.broadcast_to(self.unwarped_y - np.float32(level_mm), self.x.shape)
        return distance

    def shape(self, distance: Field) -> Shape:
        """The shape of a signed distance (N, N) over the whole canvas."""
        return Shape.over_grid(distance)

    def ellipse(self, ellipse: Ellipse) -> Shape:
        """An ellipse at the height of this canvas."""
        (x, y), (a, b), z = ellipse.centre, ellipse.radii, self.z_mm
        grow = ellipse.growth * z
        here = replace(
            ellipse,
            centre=(x + ellipse.drift[0] * z, y + ellipse.drift[1] * z),
            radii=(max(a + grow, 0.05 * a), max(b + grow, 0.05 * b)),
        )
        reach = max(here.radii) * 1.4
        box = self._box(here.centre, here.centre, reach)
        return Shape(box, ellipse_distance(here, self.x[box], self.y[box]))

    def tube(self, path: npt.NDArray[np.float64], drift: tuple[float, float] = (0.0, 0.0)) -> Shape:
        """A tube about a path (points, 3) of x, y and radius, at the height of this canvas."""
        here = path + np.array([*drift, 0]) * self.z_mm
        low, high = here[:, :2].min(axis=0), here[:, :2].max(axis=0)
        box = self._box(low, high, float(here[:, 2].max()))
        return Shape(box, tube_distance(here, self.x[box], self.y[box]))

    def _box(self, low: npt.ArrayLike, high: npt.ArrayLike, reach: float) -> Box:
        """Pixels of the box from a low to a high corner (x, y) in mm, and of a margin about it."""
        warped = sum(3 * size for _, size in WARP_MM) / 2
        middle, margin = (self.grid.size - 1) / 2, reach + MARGIN_MM + warped
        first = np.clip((np.asarray(low) - margin) / self.grid.spacing_mm + middle,
                        0, self.grid.size).astype(int)  # fmt: skip
        last = np.clip((np.asarray(high) + margin) / self.grid.spacing_mm + middle + 2,
                       0, self.grid.size).astype(int)  # fmt: skip
        return slice(first[1], last[1]), slice(first[0], last[0])

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
        free = shape.within(np.float32(gap_mm) - self.occupied)
        self.paint(free, mix, label)
        self.occupy(free)
        return free

    def occupy(self, shape: Shape) -> None:
        """Keep the space of a shape from organs placed later."""
        np.minimum(self.occupied[shape.box], shape.distance, out=self.occupied[shape.box])

    def paint(self, shape: Shape, mix: Mix, label: int | None = 0) -> None:
        """Paint a tissue mix over a shape; edges are anti-aliased.

        Args:
            shape: where.
            mix: tissue fractions that sum to one.
            label: given to pixels covered by more than half; None leaves labels as they are.
        """
        cover = np.clip(0.5 - shape.distance / np.float32(self.grid.spacing_mm), 0, 1)
        if not cover.any():
            return
        self._painted |= set(mix)
        for tissue in self._painted:
            fraction = self.fractions[TISSUES.index(tissue)][shape.box]
            fraction *= 1 - cover
            if tissue in mix:
                amount = mix[tissue]
                there = amount[shape.box] if isinstance(amount, np.ndarray) else np.float32(amount)
                fraction += cover * there
        if label is not None:
            self.labels[shape.box][cover > 0.5] = label
