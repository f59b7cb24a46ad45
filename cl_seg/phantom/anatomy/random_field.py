"""Smooth random fields, the same on every pixel grid and at neighbouring heights of a body."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.field import Box, Floats, LazyField
from cl_seg.phantom.anatomy.shapes import Rng
from cl_seg.scans.store import Grid

FIELD_EXTENT_MM = 300.0  # random fields cover ± this, whatever the canvas
FIRST_LAYER = 1_000_000  # of a field's lattices, so that layers below z = 0 have positive numbers
REACH = 3.5  # lattice lengths over which a node acts


@dataclass(frozen=True)
class _Weights:
    """Gaussian weights of lattice nodes at each pixel of an axis.

    Attributes:
        values: (N, nodes), rows of unit norm.
        first: (N,) the first node that acts on each pixel.
        last: (N,) the last one.
    """

    values: Floats
    first: npt.NDArray[np.intp]
    last: npt.NDArray[np.intp]

    def within(self, start: int, stop: int) -> tuple[slice, Floats]:
        """The nodes that act on some pixels, and their weights (pixels, nodes)."""
        nodes = slice(self.first[start], self.last[stop - 1] + 1) if start < stop else slice(0, 0)
        return nodes, self.values[start:stop, nodes]


@lru_cache(maxsize=128)
def _weights(grid: Grid, length_mm: float) -> _Weights:
    nodes = np.arange(-FIELD_EXTENT_MM, FIELD_EXTENT_MM + length_mm, length_mm)
    pixels = (np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm
    distance = (pixels[:, None] - nodes) / length_mm
    acts = np.abs(distance) < REACH
    weights = np.where(acts, np.exp(-(distance**2) / 2), 0)
    weights = (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)
    return _Weights(weights, acts.argmax(axis=1), len(nodes) - 1 - acts[:, ::-1].argmax(axis=1))


class RandomField(LazyField):
    """A smooth Gaussian random field of mean 0 and variance 1.

    White noise on a lattice of ``length_mm``, blurred in the plane by a Gaussian of that standard
    deviation; layers of the lattice, as far apart, are blended along z.
    """

    def __init__(self, rng: Rng, grid: Grid, window: Box, length_mm: float, z_mm: Floats) -> None:
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
        self._weights, self._window = _weights(grid, length_mm), window
        self._heights = np.reshape(z_mm, (-1, 1)).astype(np.float64) / length_mm
        self._rows = 0

    def _compute(self, box: Box) -> Floats:
        (rows, down), (columns, across) = (
            self._weights.within(window.start + part.start, window.start + part.stop)
            for window, part in zip(self._window, box, strict=True)
        )
        self._draw_noise(rows.stop)
        layers = down @ self._noise[:, rows, columns] @ across.T
        values = self._shares @ layers.reshape(len(layers), -1)
        return values.reshape(-1, *layers.shape[1:])

    def _draw_noise(self, rows: int) -> None:
        """Draw white noise as far down as it is needed, which is faster than all of it."""
        if rows > self._rows:
            for rng, layer in zip(self._generators, self._noise, strict=True):
                rng.standard_normal(dtype=np.float32, out=layer[self._rows : rows])
            self._rows = rows

    @cached_property
    def _layers(self) -> tuple[list[int], Floats]:
        """Layers of the lattice at the heights, and their shares (heights, layers)."""
        below = np.floor(self._heights)
        turn = np.pi / 2 * (self._heights - below)
        layers = np.arange(below.min(), below.max() + 2)
        shares = np.cos(turn) * (layers == below) + np.sin(turn) * (layers == below + 1)
        used = (shares > 1e-6).any(axis=0)
        return [int(layer) for layer in layers[used]], shares[:, used].astype(np.float32)

    @property
    def _shares(self) -> Floats:
        return self._layers[1]

    @cached_property
    def _generators(self) -> list[Rng]:
        layers = self._layers[0]
        return [np.random.default_rng([self._key, FIRST_LAYER + layer]) for layer in layers]

    @cached_property
    def _noise(self) -> Floats:
        """White noise (layers, nodes, nodes), drawn down to row ``_rows``."""
        nodes = self._weights.values.shape[1]
        return np.empty((len(self._layers[0]), nodes, nodes), np.float32)
