"""Smooth random fields, the same on every pixel grid and at neighbouring heights of a body."""

from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from cl_seg.phantom.anatomy.shapes import Field, Rng
from cl_seg.scans.store import Grid

FIELD_EXTENT_MM = 300.0  # random fields cover ± this, whatever the canvas
FIRST_LAYER = 1_000_000  # of a field's lattices, so that layers below z = 0 have positive numbers


@lru_cache(maxsize=32)
def _interpolation(grid: Grid, length_mm: float) -> csr_array:
    """Gaussian weights of lattice nodes at each pixel, rows of unit norm, (N, nodes)."""
    nodes = np.arange(-FIELD_EXTENT_MM, FIELD_EXTENT_MM + length_mm, length_mm)
    pixels = (np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm
    distance = (pixels[:, None] - nodes) / length_mm
    weights = np.where(np.abs(distance) < 3.5, np.exp(-(distance**2) / 2), 0)
    return csr_array(weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


def random_field(rng: Rng, grid: Grid, length_mm: float, z_mm: float = 0.0) -> Field:
    """One height of a smooth Gaussian random field of mean 0 and variance 1, (N, N).

    White noise on a lattice of ``length_mm``, blurred in the plane by a Gaussian of that standard
    deviation; layers of the lattice, as far apart, are blended along z. One number is drawn from
    ``rng`` whatever the height.
    """
    weights = _interpolation(grid, length_mm)
    key, nodes = int(rng.integers(2**62)), weights.shape[1]
    below = int(np.floor(z_mm / length_mm))
    turn = np.pi / 2 * (z_mm / length_mm - below)
    lattice = np.zeros((nodes, nodes), np.float32)
    for layer, weight in ((below, np.cos(turn)), (below + 1, np.sin(turn))):
        if weight > 1e-6:
            layer_rng = np.random.default_rng([key, FIRST_LAYER + layer])
            lattice += np.float32(weight) * layer_rng.standard_normal((nodes, nodes), np.float32)
    field: Field = (weights @ (weights @ lattice).T).T
    return field
