"""A canvas in millimetres: implicit shapes painted as tissue fractions and labels.

x runs to the image's right (the patient's left), y down (posterior), the origin is the middle.
A shape is a signed distance in mm (negative inside), as an (N, N) array. Nothing random depends
on the pixel grid: the same streams on another grid give the same body.
"""

from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid

Field = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator
Mix = dict[str, float | Field]  # tissue → its fraction

FIELD_EXTENT_MM = 270.0  # random fields cover ± this, whatever the canvas
FAR_MM = 60.0  # distance given to points far outside a shape
WARP_MM = ((45.0, 3.5), (9.0, 0.7))  # length and size of the warp of all shapes (engineering)


@lru_cache(maxsize=32)
def _interpolation(grid: Grid, length_mm: float) -> csr_array:
    """Gaussian weights of lattice nodes at each pixel, rows of unit norm, (N, nodes)."""
    nodes = np.arange(-FIELD_EXTENT_MM, FIELD_EXTENT_MM + length_mm, length_mm)
    pixels = (np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm
    distance = (pixels[:, None] - nodes) / length_mm
    weights = np.where(np.abs(distance) < 3.5, np.exp(-(distance**2) / 2), 0)
    return csr_array(weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


def random_field(rng: Rng, grid: Grid, length_mm: float) -> Field:
    """Smooth Gaussian random field of mean 0 and variance 1.

    White noise on a lattice of ``length_mm``, blurred by a Gaussian of that standard deviation.
    """
    weights = _interpolation(grid, length_mm)
    lattice = rng.standard_normal((weights.shape[1], weights.shape[1]), np.float32)
    field: Field = (weights @ (weights @ lattice).T).T
    return field


def union(*shapes: Field) -> Field:
    """Inside any of the shapes."""
    return reduce(np.minimum, shapes)


def intersection(*shapes: Field) -> Field:
    """Inside all of the shapes."""
    return reduce(np.maximum, shapes)


def shell(shape: Field, thickness_mm: float | Field) -> Field:
    """A layer about the surface of a shape."""
    layer: Field = np.abs(shape) - thickness_mm / 2
    return layer


@dataclass(frozen=True)
class Ellipse:
    """A superellipse with an uneven outline.

    Attributes:
        centre: (x, y) in mm.
        radii: half axes in mm.
        angle: rotation in radians, clockwise in the image.
        power: 2 an ellipse, larger more rectangular.
        wobble: (harmonics, 3) order, relative amplitude and phase of the outline, or None.
    """

    centre: tuple[float, float]
    radii: tuple[float, float]
    angle: float = 0.0
    power: float = 2.0
    wobble: npt.NDArray[np.float64] | None = None


def wobble(
    rng: Rng, amplitude: float, orders: tuple[int, ...] = (2, 3, 4, 5)
) -> npt.NDArray[np.float64]:
    """Random harmonics of an outline, falling with their order."""
    heights = 2 * amplitude * rng.standard_normal(len(orders)) / orders
    return np.column_stack([orders, heights, rng.uniform(0, 2 * np.pi, len(orders))])


class Canvas:
    """Tissue fractions (17, N, N) and labels (N, N) of one slice; starts as air.

    Attributes:
        grid: pixels of the canvas.
        x: (N, N) warped x in mm, in which all shapes are defined.
        y: (N, N) warped y in mm.
        level_y: (N,1) unwarped y in mm, for horizontal fluid levels.
        fractions: (17, N, N) in the order of ``TISSUES``, summing to one.
        labels: (N, N) uint8.
    """

    def __init__(self, grid: Grid, rng: Rng) -> None:
        self.grid = grid
        axis = ((np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm).astype(np.float32)
        self.x = np.repeat(axis[None], grid.size, axis=0)
        self.y = np.repeat(axis[:, None], grid.size, axis=1)
        self.level_y = axis[:, None]
        for length, size in WARP_MM:
            self.x += np.float32(size) * self.field(rng, length)
            self.y += np.float32(size) * self.field(rng, length)
        self.fractions = np.zeros((len(TISSUES), grid.size, grid.size), np.float32)
        self.fractions[TISSUES.index("air")] = 1
        self.labels = np.zeros((grid.size, grid.size), np.uint8)
        self._painted = {"air"}

    def field(self, rng: Rng, length_mm: float) -> Field:
        """A random field on this canvas, see :func:`random_field`."""
        return random_field(rng, self.grid, length_mm)

    def fraction(self, tissue: str) -> Field:
        """What is painted of one tissue, (N, N)."""
        fraction: Field = self.fractions[TISSUES.index(tissue)]
        return fraction

    def fraction_at(self, tissue: str, x: float, y: float) -> float:
        """What is painted of one tissue nearest to a point in mm."""
        middle = (self.grid.size - 1) / 2
        row, column = (round(v / self.grid.spacing_mm + middle) for v in (y, x))
        return float(self.fraction(tissue)[row, column])

    def streaks(self, rng: Rng, length_mm: float, width: float, height: float) -> Field:
        """Thin wavy sheets, as septa and vessels in fat, as a fraction from 0 to ``height``."""
        ridge = np.clip(1.5 - np.abs(self.field(rng, length_mm)) / width, 0, 1)
        patches = np.clip(1 + 2 * self.field(rng, 5 * length_mm), 0, 1)
        return height * ridge * patches

    def shape(self, ellipse: Ellipse) -> Field:
        """Approximate signed distance to an ellipse; ``FAR_MM`` far away from it."""
        box = self._box(ellipse)
        distance = np.full((self.grid.size, self.grid.size), FAR_MM, np.float32)
        (a, b), cos, sin = ellipse.radii, np.cos(ellipse.angle), np.sin(ellipse.angle)
        dx, dy = self.x[box] - ellipse.centre[0], self.y[box] - ellipse.centre[1]
        u, v = (dx * cos + dy * sin) / a, (dy * cos - dx * sin) / b
        if ellipse.power == 2:
            radius = np.hypot(u, v)
        else:
            radius = (np.abs(u) ** ellipse.power + np.abs(v) ** ellipse.power) ** (
                1 / ellipse.power
            )
        gradient = np.hypot(u / a, v / b) / np.maximum(np.hypot(u, v), 1e-3)
        if ellipse.wobble is not None:
            angle = np.arctan2(v, u)
            outline = sum(h * np.cos(n * angle + p) for n, h, p in ellipse.wobble)
            radius = radius / np.maximum(1 + outline, 0.2)
        distance[box] = (radius - 1) / np.maximum(gradient, 1e-4)
        return distance

    def _box(self, ellipse: Ellipse) -> tuple[slice, slice]:
        reach = max(ellipse.radii) * 1.45 + 16
        middle, spacing = (self.grid.size - 1) / 2, self.grid.spacing_mm
        low = [int(np.clip((c - reach) / spacing + middle, 0, self.grid.size))
               for c in ellipse.centre]  # fmt: skip
        high = [int(np.clip((c + reach) / spacing + middle + 2, 0, self.grid.size))
                for c in ellipse.centre]  # fmt: skip
        return slice(low[1], high[1]), slice(low[0], high[0])

    def paint(self, shape: Field, mix: Mix, label: int | None = 0) -> None:
        """Cover what is there by a tissue mix; edges are anti-aliased.

        Args:
            shape: signed distance in mm.
            mix: tissue fractions that sum to one.
            label: given to pixels covered by more than half; None leaves labels as they are.
        """
        touched = shape < self.grid.spacing_mm / 2
        rows, columns = np.flatnonzero(touched.any(1)), np.flatnonzero(touched.any(0))
        if not len(rows):
            return
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        cover = np.clip(0.5 - shape[box] / np.float32(self.grid.spacing_mm), 0, 1)
        self._painted |= set(mix)
        for tissue in self._painted:
            fraction = self.fractions[TISSUES.index(tissue)][box]
            fraction *= 1 - cover
            if tissue in mix:
                amount = mix[tissue]
                fraction += cover * (amount[box] if isinstance(amount, np.ndarray) else amount)
        if label is not None:
            self.labels[box][cover > 0.5] = label
