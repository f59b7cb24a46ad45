"""Labels that networks predict on their grid, on the pixels of the series it lies over."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.scans.area_preserving_labels import complete_labels
from cl_seg.scans.resample import Placement, grid_coverage
from cl_seg.scans.series import Volume
from cl_seg.scans.store import Grid, Labels

UNKNOWN = 255
Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """Rows, or columns, of a series as places on a grid.

    Attributes:
        below: (n,) pixel of the grid before each.
        weight: (n,) of the next one, 0 to 1.
        inside: (n,) whether it lies on the grid, or within a pixel of it.
        coverage: (S,) length of each pixel of the grid in the series, in pixels of the series.
    """

    below: npt.NDArray[np.intp]
    weight: npt.NDArray[np.float64]
    inside: npt.NDArray[np.bool_]
    coverage: npt.NDArray[np.float64]


class SeriesPixels:
    """The pixels of a series under a grid.

    Args:
        volume: the series.
        placement: where the grid lies over it.
        grid: of the networks; any with the extent of the one that was placed.
    """

    def __init__(self, volume: Volume, placement: Placement, grid: Grid) -> None:
        covered = grid_coverage(volume, placement, grid)
        self.rows, self.columns = (
            _line(volume, placement, grid, axis, covered[axis]) for axis in (0, 1)
        )

    def labels(self, probability: Values) -> Labels:
        """Labels of one slice.

        The largest probability decides on the pixels of the grid, and so how large every structure
        is; its outline is that of the probabilities interpolated linearly on the pixels of the
        series (:func:`cl_seg.scans.area_preserving_labels.upsample_labels`). Interpolated are only
        those pixels around which the grid has several labels.

        Args:
            probability: (C, S, S) float32, on the grid.

        Returns:
            (H, W) uint8, background outside the grid.
        """
        best = probability.argmax(axis=0).astype(np.uint8)
        decided = (best == np.arange(len(probability))[:, None, None]).astype(np.float32)
        labels = self._where_all_around_agree(best)
        areas = np.array([self.rows.coverage @ mask @ self.columns.coverage for mask in decided])
        areas[0] += labels.size - areas.sum()
        unknown = np.flatnonzero(labels == UNKNOWN)
        shares, decisions = (self._interpolated(each, unknown) for each in (probability, decided))
        complete_labels(labels, unknown, shares, decisions, areas)
        return labels

    def _where_all_around_agree(self, best: Labels) -> Labels:
        """(H, W) the label of all four pixels of the grid around each pixel, or ``UNKNOWN``."""
        low, high = best[:-1], best[1:]
        agree = (low[:, :-1] == low[:, 1:]) & (low[:, :-1] == high[:, :-1])
        agree &= low[:, :-1] == high[:, 1:]
        around = np.where(agree, low[:, :-1], np.uint8(UNKNOWN))
        labels = around.take(self.rows.below, axis=0).take(self.columns.below, axis=1)
        labels[~self.rows.inside] = 0
        labels[:, ~self.columns.inside] = 0
        return labels

    def _interpolated(self, values: Values, pixels: npt.NDArray[np.intp]) -> Values:
        """(C, M) values of (C, S, S) ones at flattened places of the series."""
        row, column = np.divmod(pixels, len(self.columns.below))
        down, across = self.rows.weight[row], self.columns.weight[column]
        corner = self.rows.below[row] * values.shape[2] + self.columns.below[column]
        flat = values.reshape(len(values), -1)

        def along(start: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
            first, second = (flat[:, start + step].astype(float) for step in (0, 1))
            between: npt.NDArray[np.float64] = first + (second - first) * across
            return between

        above = along(corner)
        below = along(corner + values.shape[2])
        return (above + (below - above) * down).astype(np.float32)


def _line(
    volume: Volume, placement: Placement, grid: Grid, axis: int, covered: npt.NDArray[np.float64]
) -> Line:
    spacing = volume.spacing_mm[axis]
    first = placement.centre_mm[axis] - grid.spacing_mm * (grid.size - 1) / 2
    pixels = volume.origin_mm[axis] + spacing * np.arange(volume.hu.shape[1 + axis])
    place = (pixels - first) / grid.spacing_mm
    within = np.clip(place, 0, grid.size - 1)  # beyond its edge the grid goes on as it ends
    below = np.minimum(within.astype(np.intp), grid.size - 2)
    inside = (place >= -1.5) & (place <= grid.size + 0.5)
    return Line(below, within - below, inside, covered * grid.spacing_mm / spacing)
