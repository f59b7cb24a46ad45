"""Anti-aliased resampling between centred square grids."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from cl_seg.scans.store import Grid

Single = npt.NDArray[np.float32]


@lru_cache(maxsize=32)
def overlap(source: Grid, target: Grid) -> csr_array:
    """Share of each source pixel in each target pixel along one axis, (target, source).

    A target pixel averages over its own width, or over a source pixel's where that is wider:
    area averaging downwards, linear interpolation upwards. Rows sum to one inside the source.
    """

    def centres(grid: Grid) -> npt.NDArray[np.floating]:
        return (np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm

    width = max(source.spacing_mm, target.spacing_mm)
    distance = np.abs(centres(target)[:, None] - centres(source)[None])
    shared = np.clip((width + source.spacing_mm) / 2 - distance, 0, source.spacing_mm)
    return csr_array(shared / width).astype(np.float32)


def resample(image: Single, source: Grid, target: Grid, padding: float) -> Single:
    """Resample an image; target pixels outside the source take ``padding``."""
    matrix = overlap(source, target)
    inside: Single = matrix @ (matrix @ (image - np.float32(padding))).T
    return inside.T + np.float32(padding)


def resample_labels(
    labels: npt.NDArray[np.uint8], source: Grid, target: Grid
) -> npt.NDArray[np.uint8]:
    """Give each target pixel the label that covers most of it."""
    shares = [
        resample((labels == value).astype(np.float32), source, target, 1.0 if value == 0 else 0.0)
        for value in range(int(labels.max()) + 1)
    ]
    majority: npt.NDArray[np.uint8] = np.argmax(shares, axis=0).astype(np.uint8)
    return majority
