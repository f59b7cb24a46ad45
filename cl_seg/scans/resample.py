"""Resamples axial slices to the canonical grid of a store; slices stay at their own z.

Where the pixels of a series are as large as those of the grid, they are copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from cl_seg.messages.plural import counted
from cl_seg.scans.area_preserving_labels import assign_labels_by_fraction, lengths_within
from cl_seg.scans.body import box_mm, extends_beyond, find_body
from cl_seg.scans.series import HU_AIR, Volume, to_hu
from cl_seg.scans.store import HU, Grid, Labels

_FWHM = 2 * np.sqrt(2 * np.log(2))
BODY_MM = (60.0, 800.0)
"""Smallest and largest size of a body, of a hand and of the widest persons (engineering values)."""
_SAME_GRID_PIXELS = (
    0.1  # pixels by which two grids may differ anywhere and be one (engineering value)
)
Vector = npt.NDArray[np.float64]
Pixels = TypeVar("Pixels", bound=npt.NDArray[np.integer])


@dataclass(frozen=True)
class Placement:
    """Position of the canonical grid over a series.

    Attributes:
        centre_mm: (y, x) centre of the grid, LPS mm.
        truncated: per slice, whether the body goes on beyond the grid or beyond the image.
        body_mm: (y, x) size of the body, 0 where there is none.
    """

    centre_mm: tuple[float, float]
    truncated: tuple[bool, ...] = ()
    body_mm: tuple[float, float] = field(default=(0.0, 0.0), compare=False)


def centre_grid(volume: Volume, grid: Grid) -> Placement:
    """Centre the grid on the reconstructed image, or on the body where it would be truncated.

    All slices of a series have one position, so that anatomy does not jump from slice to slice.
    Where the pixels are of one size, those of the grid lie on those of the image.
    """
    spacing, origin = np.array(volume.spacing_mm), np.array(volume.origin_mm)
    centre = origin + spacing * (np.array(volume.hu.shape[1:]) - 1) / 2
    half = grid.size * grid.spacing_mm / 2
    body = find_body(volume)
    low, high = box_mm(body)
    fits = (low >= centre - half) & (high <= centre + half)
    centre = np.where(fits, centre, (low + high) / 2)
    if _same_pixels(volume, grid):
        first = (_corner(centre, grid) - origin) / spacing
        centre += (np.floor(first + 0.5) - first) * spacing
    y, x = centre.tolist()
    down, across = (high - low).tolist()
    truncated = tuple(extends_beyond(body, centre, 2 * half).tolist())
    return Placement((y, x), truncated, (down, across))


def truncation_notes(placement: Placement, grid: Grid) -> list[str]:
    """A note where the body is truncated."""
    count = sum(placement.truncated)
    if not count:
        return []
    return [
        f"the body goes on beyond the image, or beyond the grid of {grid.size * grid.spacing_mm:g} "
        f"mm, in {count} of {counted(len(placement.truncated), 'slice')}: areas in them are marked "
        "as incomplete"
    ]


def size_notes(placement: Placement) -> list[str]:
    """A note where the body has an impossible size, in words; a truncated body may be small."""
    down, across = placement.body_mm
    low, high = BODY_MM
    larger = max(down, across)
    small = 0 < larger < low and not any(placement.truncated)
    if not small and larger <= high:
        return []
    return [
        f"the body is about {across:.0f} × {down:.0f} mm, expected {low:g} to {high:g} mm: look "
        "whether the file has the right pixel size, on which areas depend"
    ]


def resample_image(image: HU, volume: Volume, placement: Placement, grid: Grid) -> HU:
    """One (H, W) int16 slice on the canonical grid; -1024 outside the image."""
    first = _first_pixel(volume, placement, grid)
    if first is not None:
        return _copied(image, first, grid, HU_AIR)
    return to_hu(_resampled(image.astype(np.float32), volume, placement, grid, HU_AIR))


def resample_labels(labels: Labels, volume: Volume, placement: Placement, grid: Grid) -> Labels:
    """One (H, W) uint8 label slice on the canonical grid; background outside the image.

    Each label's mask passes through the same filter as the image, so image and labels stay aligned;
    pixels are given such that every label keeps the area it has under the grid, to a pixel
    (:func:`cl_seg.scans.area_preserving_labels.assign_labels_by_fraction`).
    """
    first = _first_pixel(volume, placement, grid)
    if first is not None:
        return _copied(labels, first, grid, 0)
    present = np.union1d(labels, np.uint8(0))
    masks = [(labels == label).astype(np.float32) for label in present]
    down, across = _image_coverage(volume, placement, grid)
    areas = np.array([down @ mask @ across for mask in masks])
    within = np.outer(*grid_coverage(volume, placement, grid))
    # Pixels of the grid that the image only touches are labelled by what lies at its edge.
    wider, beyond_edge = _with_border(volume, grid)
    edged = [np.pad(mask, beyond_edge, mode="edge") for mask in masks]
    fractions = np.stack([within * _resampled(mask, wider, placement, grid, 0) for mask in edged])
    # What lies outside the image is background, the first.
    fractions[0] += 1 - fractions.sum(axis=0)
    areas[0] += grid.size**2 - areas.sum()
    indices = assign_labels_by_fraction(fractions, areas)
    # Along an edge between two rows of centres the filter sees no pixel that two labels share.
    if np.abs(np.bincount(indices.ravel(), minlength=len(areas)) - areas).max() > 1:
        indices = assign_labels_by_fraction(_covered(masks, volume, placement, grid), areas)
    chosen: Labels = present[indices]
    return chosen


def _covered(
    masks: Sequence[npt.NDArray[np.float32]], volume: Volume, placement: Placement, grid: Grid
) -> npt.NDArray[np.float64]:
    """(C, H, W) fraction of each pixel of the grid under each mask; what is outside, the first."""
    edges = _corner(np.array(placement.centre_mm), grid)[:, None] + grid.spacing_mm * (
        np.arange(grid.size) - 0.5
    )
    down, across = (
        np.stack([lengths_within(centres, spacing, at, at + grid.spacing_mm) for at in low])
        / grid.spacing_mm
        for centres, spacing, low in zip(
            _pixel_centres(volume), volume.spacing_mm, edges, strict=True
        )
    )
    covered = np.stack([down @ mask @ across.T for mask in masks])
    covered[0] += 1 - covered.sum(axis=0)
    return covered


def _pixel_centres(volume: Volume) -> list[Vector]:
    """Places of the rows and of the columns of the image, mm."""
    return [
        origin + spacing * np.arange(count)
        for origin, spacing, count in zip(
            volume.origin_mm, volume.spacing_mm, volume.hu.shape[1:], strict=True
        )
    ]


def _same_pixels(volume: Volume, grid: Grid) -> bool:
    """Whether image and grid have the same pixel size, within a tenth of a pixel at their edges."""
    drift = np.abs(np.array(volume.spacing_mm) / grid.spacing_mm - 1) * max(
        grid.size, *volume.hu.shape[1:]
    )
    return bool(np.all(drift < _SAME_GRID_PIXELS))


def _first_pixel(volume: Volume, placement: Placement, grid: Grid) -> npt.NDArray[np.intp] | None:
    """(row, column) of the image under the first pixel of the grid, None where none lies there."""
    if not _same_pixels(volume, grid):
        return None
    corner = _corner(np.array(placement.centre_mm), grid)
    first = (corner - np.array(volume.origin_mm)) / np.array(volume.spacing_mm)
    nearest = np.floor(first + 0.5)
    return nearest.astype(np.intp) if np.all(np.abs(first - nearest) < _SAME_GRID_PIXELS) else None


def _corner(centre: Vector, grid: Grid) -> Vector:
    """(y, x) centre of the first pixel of a grid, mm."""
    corner: Vector = centre - grid.spacing_mm * (grid.size - 1) / 2
    return corner


def _copied(image: Pixels, first: npt.NDArray[np.intp], grid: Grid, outside: int) -> Pixels:
    """The pixels of an image under the grid."""
    copied = np.full((grid.size, grid.size), outside, image.dtype)
    low, high = np.maximum(first, 0), np.minimum(first + grid.size, image.shape)
    if np.all(low < high):
        (top, left), (bottom, right) = low - first, high - first
        copied[top:bottom, left:right] = image[low[0] : high[0], low[1] : high[1]]
    return cast("Pixels", copied)


def _image_coverage(volume: Volume, placement: Placement, grid: Grid) -> tuple[Vector, Vector]:
    """Length of each row and of each column of the image under the grid, in pixels of the grid."""
    half = grid.size * grid.spacing_mm / 2
    lengths = []
    for axis, centres in enumerate(_pixel_centres(volume)):
        spacing, middle = volume.spacing_mm[axis], placement.centre_mm[axis]
        under = lengths_within(centres, spacing, middle - half, middle + half)
        lengths.append(under / grid.spacing_mm)
    return lengths[0], lengths[1]


def grid_coverage(volume: Volume, placement: Placement, grid: Grid) -> tuple[Vector, Vector]:
    """Share of each row and of each column of the grid that lies in the image."""
    fractions = []
    corner = _corner(np.array(placement.centre_mm), grid)
    for axis, count in enumerate(volume.hu.shape[1:]):
        spacing = volume.spacing_mm[axis]
        low = volume.origin_mm[axis] - spacing / 2
        centres = corner[axis] + grid.spacing_mm * np.arange(grid.size)
        lengths = lengths_within(centres, grid.spacing_mm, low, low + count * spacing)
        fractions.append(lengths / grid.spacing_mm)
    return fractions[0], fractions[1]


def _with_border(volume: Volume, grid: Grid) -> tuple[Volume, list[tuple[int, int]]]:
    """A series with a border as wide as half a pixel of the grid, and that border.

    Returns:
        The series with another origin, and the pixels added before and after each axis.
    """
    spacing = np.array(volume.spacing_mm)
    pixels = np.ceil(grid.spacing_mm / 2 / spacing).astype(int)
    y, x = (np.array(volume.origin_mm) - pixels * spacing).tolist()
    return replace(volume, origin_mm=(y, x)), [(count, count) for count in pixels.tolist()]


def _resampled(
    values: npt.NDArray[np.float32],
    volume: Volume,
    placement: Placement,
    grid: Grid,
    outside: float,
) -> npt.NDArray[np.float32]:
    """Smooth to the coarser pixel size, then interpolate linearly.

    The Gaussian takes the image's resolution to that of the new pixels, both described by a
    Gaussian whose FWHM is the pixel size (Cardoso et al., "Scale factor point spread function
    matching", MICCAI 2015); nothing is smoothed when the new pixels are the finer ones.
    """
    spacing = np.array(volume.spacing_mm)
    sigma_mm = np.sqrt(np.maximum(grid.spacing_mm**2 - spacing**2, 0)) / _FWHM
    smooth = ndimage.gaussian_filter(values, sigma_mm / spacing, mode="nearest")
    source = sitk.GetImageFromArray(smooth)
    source.SetSpacing(spacing[::-1].tolist())
    source.SetOrigin(volume.origin_mm[::-1])
    corner = _corner(np.array(placement.centre_mm), grid)
    target = sitk.ResampleImageFilter()
    target.SetSize([grid.size] * 2)
    target.SetOutputSpacing([grid.spacing_mm] * 2)
    target.SetOutputOrigin(corner[::-1].tolist())
    target.SetInterpolator(sitk.sitkLinear)
    target.SetDefaultPixelValue(outside)
    result: npt.NDArray[np.float32] = sitk.GetArrayFromImage(target.Execute(source))
    return result
