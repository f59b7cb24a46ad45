"""Smooth random fields, the same on every pixel grid and at neighbouring heights of a body."""

from functools import cached_property, lru_cache

import numpy as np

from cl_seg.phantom.anatomy.field import Box, Field, Single
from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.scans.store import Grid

FIELD_EXTENT_MM = 300.0  # random fields cover ± this, whatever the canvas
FIRST_LAYER = 1_000_000  # of a field's lattices, so that layers below z = 0 have positive numbers
REACH = 3.5  # lattice lengths over which a node acts


@lru_cache(maxsize=32)
def _interpolation(grid: Grid, length_mm: float) -> Single:
    """Gaussian weights of lattice nodes at each pixel, rows of unit norm, (N, nodes)."""
    nodes = np.arange(-FIELD_EXTENT_MM, FIELD_EXTENT_MM + length_mm, length_mm)
    pixels = (np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm
    distance = (pixels[:, None] - nodes) / length_mm
    weights = np.where(np.abs(distance) < REACH, np.exp(-(distance**2) / 2), 0)
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


class RandomField(Field):
    """A smooth Gaussian random field of mean 0 and variance 1.

    White noise on a lattice of ``length_mm``, blurred in the plane by a Gaussian of that standard
    deviation; layers of the lattice, as far apart, are blended along z.
    """

    def __init__(self, rng: Rng, grid: Grid, window: Box, length_mm: float, z_mm: Single) -> None:
        """Draw one number from ``rng``, whatever the window and the heights.

        Args:
            rng: of the field.
            grid: of the pixels.
            window: box of the grid that the canvas covers.
            length_mm: standard deviation of the blur.
            z_mm: heights.
        """
        super().__init__()
        self._key = int(rng.integers(2**62))
        self._weights, self._window = _interpolation(grid, length_mm), window
        self._heights = np.ravel(z_mm).astype(np.float64) / length_mm
        self._drawn: list[Single] = []

    def _compute(self, box: Box) -> Single:
        down, across = (
            self._weights[window.start + part.start : window.start + part.stop]
            for window, part in zip(self._window, box, strict=True)
        )
        rows, columns = _nodes(down), _nodes(across)
        noise = np.stack([layer[rows, columns] for layer in self._noise(rows.stop)])
        lattice = np.tensordot(self._layers[0], noise, 1)
        values: Single = down[:, rows] @ lattice @ across[:, columns].T
        return values

    def _noise(self, rows: int) -> list[Single]:
        """White noise (rows or more, nodes) of every layer, drawn as far as it is needed."""
        missing = rows - (len(self._drawn[0]) if self._drawn else 0)
        if missing > 0:
            size = (missing, self._weights.shape[1])
            more = [rng.standard_normal(size, np.float32) for rng in self._layers[1]]
            before = self._drawn or [np.zeros((0, size[1]), np.float32)] * len(more)
            self._drawn = [np.concatenate(parts) for parts in zip(before, more, strict=True)]
        return self._drawn

    @cached_property
    def _layers(self) -> tuple[Single, list[Rng]]:
        """Share (heights, layers) of each layer of the lattice, and their random generators."""
        below = np.floor(self._heights).astype(int)[:, None]
        turn = np.pi / 2 * (self._heights[:, None] - below)
        layers = np.arange(below.min(), below.max() + 2)
        share = np.cos(turn) * (layers == below) + np.sin(turn) * (layers == below + 1)
        used = (share > 1e-6).any(axis=0)
        generators = [np.random.default_rng([self._key, FIRST_LAYER + int(layer)])
                      for layer in layers[used]]  # fmt: skip
        return share[:, used].astype(np.float32), generators


def _nodes(weights: Single) -> slice:
    """The nodes that act on some pixels (pixels, nodes)."""
    if not len(weights):
        return slice(0, 0)
    acting = np.flatnonzero(weights[[0, -1]].any(axis=0))
    return slice(int(acting[0]), int(acting[-1]) + 1)
