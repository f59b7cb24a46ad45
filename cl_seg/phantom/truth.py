"""The truth of a slice on the grid of its image: labels and tissues of a painted anatomy."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from cl_seg.scans.area_preserving_labels import assign_labels_by_fraction
from cl_seg.scans.store import Grid

Single = npt.NDArray[np.float32]


@lru_cache(maxsize=32)
def pixel_overlap_weights(source: Grid, target: Grid, shift_mm: float = 0.0) -> csr_array:
    """Share of each source pixel in each target pixel along one axis, (target, source).

    A target pixel averages over its own width, or over a source pixel's where that is wider:
    area averaging downwards, linear interpolation upwards. Rows sum to one inside the source.

    Args:
        source: centred on ``shift_mm``.
        target: centred on zero.
        shift_mm: where the source lies.
    """

    def centres(grid: Grid) -> npt.NDArray[np.floating]:
        return (np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm

    width = max(source.spacing_mm, target.spacing_mm)
    distance = np.abs(centres(target)[:, None] - centres(source)[None] - shift_mm)
    shared = np.clip((width + source.spacing_mm) / 2 - distance, 0, source.spacing_mm)
    return csr_array(shared / width).astype(np.float32)


def truth_labels(
    labels: npt.NDArray[np.uint8],
    source: Grid,
    target: Grid,
    centre_mm: tuple[float, float] = (0.0, 0.0),
) -> npt.NDArray[np.uint8]:
    """Label target pixels such that every label keeps its area; background outside the source.

    Args:
        labels: (N, N).
        source: grid of the labels, centred on ``centre_mm``.
        target: grid centred on zero.
        centre_mm: (x, y) of the middle of the labels.
    """
    values, fractions = _fractions(labels, source, target, centre_mm)
    kept: npt.NDArray[np.uint8] = values[
        assign_labels_by_fraction(fractions, fractions.sum(axis=(1, 2)))
    ]
    return kept


def dominant_tissue(
    tissues: npt.NDArray[np.uint8],
    source: Grid,
    target: Grid,
    centre_mm: tuple[float, float] = (0.0, 0.0),
) -> npt.NDArray[np.uint8]:
    """The tissue that covers most of each target pixel, arguments as of :func:`truth_labels`."""
    present, fractions = _fractions(tissues, source, target, centre_mm)
    largest: npt.NDArray[np.uint8] = present[np.argmax(fractions, axis=0)]
    return largest


def _fractions(
    values: npt.NDArray[np.uint8], source: Grid, target: Grid, centre_mm: tuple[float, float]
) -> tuple[npt.NDArray[np.uint8], Single]:
    """Values that occur, 0 among them, and their fraction (C, M, M) of every target pixel."""
    across, down = (pixel_overlap_weights(source, target, shift) for shift in centre_mm)
    present = np.union1d(values, np.uint8(0)).astype(np.uint8)
    fractions = np.stack([
        (down @ (across @ (values == value).astype(np.float32).T).T) for value in present
    ])  # fmt: skip
    fractions[0] += 1 - np.outer(down.sum(axis=1), across.sum(axis=1)).astype(np.float32)
    return present, fractions
