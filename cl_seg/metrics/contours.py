"""Contours of structures, and the distances between two of them."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Mask = npt.NDArray[np.bool_]
Distances = npt.NDArray[np.float64]


def edge_pixels(labels: npt.NDArray[np.generic]) -> Mask:
    """Pixels at the image edge or with a 4-neighbour of another value: the contours of all labels.

    Args:
        labels: (…, H, W) labels or masks.

    Returns:
        (…, H, W).
    """
    down = labels[..., 1:, 1:-1] != labels[..., :-1, 1:-1]
    across = labels[..., 1:-1, 1:] != labels[..., 1:-1, :-1]
    edge = np.ones(labels.shape, bool)
    inner = edge[..., 1:-1, 1:-1]
    np.logical_or(down[..., 1:, :], down[..., :-1, :], out=inner)
    inner |= across[..., 1:]
    inner |= across[..., :-1]
    return edge


def contour(mask: Mask) -> Mask:
    """Pixels of a (…, H, W) mask with a 4-neighbour outside it or at the image edge."""
    border: Mask = mask & edge_pixels(mask)
    return border


def contour_distances(of: Mask, to: Mask) -> list[Distances]:
    """Distances in pixels from every pixel of a contour to the nearest one of another.

    Squares of distances are whole numbers and their roots rounded once, so the results are those
    of any exact method, bit for bit.

    Args:
        of: (N, H, W) bool, contours in N slices.
        to: (N, H, W) bool, contours in the same slices.

    Returns:
        Of every slice, the distances in the order of the pixels; only of use where both have some.
    """
    at = np.flatnonzero(of)
    on, beside = to.ravel()[at], _grown(to).ravel()[at]
    distances = np.where(on, 0.0, 1.0)
    apart = at[~beside]  # few where a prediction is good: the search below is what takes long
    tree = cKDTree(_points(np.flatnonzero(to), to.shape), balanced_tree=False, compact_nodes=False)
    distances[~beside] = tree.query(_points(apart, of.shape))[0]
    slices = np.arange(1, len(of)) * of[0].size
    return np.split(distances, np.searchsorted(at, slices))


def _grown(mask: Mask) -> Mask:
    """The pixels of a (N, H, W) mask and their 4-neighbours."""
    grown = mask.copy()
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    grown[:, :, 1:] |= mask[:, :, :-1]
    grown[:, :, :-1] |= mask[:, :, 1:]
    return grown


def _points(at: npt.NDArray[np.intp], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """(M, 2) coordinates, every slice so far from the others that none is nearest to another."""
    index, y, x = np.unravel_index(at, shape)
    return np.stack([y + index * 2 * (shape[1] + shape[2]), x], axis=1).astype(float)
