"""Resamples axial slices to the canonical grid of a store; slices stay at their own z."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from cl_seg.scans.series import HU_AIR, Volume, to_hu
from cl_seg.scans.store import HU, Grid, Labels

_FWHM = 2 * np.sqrt(2 * np.log(2))
_TISSUE_HU = -300  # between air and fat (engineering value)
_COARSE_MM = 4.0  # pixel size at which the body is searched (engineering value)


@dataclass(frozen=True)
class Placement:
    """Where the canonical grid lies over a series.

    Attributes:
        centre_mm: (y, x) centre of the grid, LPS mm.
        body_cut: whether the body is wider than the grid.
    """

    centre_mm: tuple[float, float]
    body_cut: bool


def place(volume: Volume, grid: Grid) -> Placement:
    """Centre the grid on the reconstructed image, or on the body where it would be cut.

    One place for all slices of a series, so that anatomy does not jump from slice to slice.
    """
    spacing, origin = np.array(volume.spacing_mm), np.array(volume.origin_mm)
    centre = origin + spacing * (np.array(volume.hu.shape[1:]) - 1) / 2
    half = grid.size * grid.spacing_mm / 2
    low, high = _body_box(volume)
    if np.all(low >= centre - half) and np.all(high <= centre + half):
        return Placement((float(centre[0]), float(centre[1])), False)
    fits = (low >= centre - half) & (high <= centre + half)
    centre = np.where(fits, centre, (low + high) / 2)
    return Placement((float(centre[0]), float(centre[1])), bool(np.any(high - low > 2 * half)))


def _body_box(volume: Volume) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Corners (y, x) in mm of the largest piece of tissue; table and clothes are opened away."""
    step = np.maximum(1, np.rint(_COARSE_MM / np.array(volume.spacing_mm)).astype(int))
    tissue = volume.hu[:, :: step[0], :: step[1]] > _TISSUE_HU
    tissue = ndimage.binary_opening(tissue, np.ones((1, 5, 5), bool))
    pieces, count = ndimage.label(tissue)
    origin, pixel = np.array(volume.origin_mm), step * np.array(volume.spacing_mm)
    if not count:
        middle = origin + np.array(volume.spacing_mm) * (np.array(volume.hu.shape[1:]) - 1) / 2
        return middle, middle
    largest = int(np.bincount(pieces.ravel())[1:].argmax()) + 1
    _, rows, columns = ndimage.find_objects((pieces == largest).astype(np.uint8))[0]
    low = origin + pixel * (np.array([rows.start, columns.start]) - 0.5)
    high = origin + pixel * (np.array([rows.stop, columns.stop]) - 0.5)
    return low, high


def resample_image(image: HU, volume: Volume, placement: Placement, grid: Grid) -> HU:
    """One (H, W) int16 slice on the canonical grid; -1024 outside the image."""
    return to_hu(_resample(image.astype(np.float32), volume, placement, grid, HU_AIR))


def resample_labels(labels: Labels, volume: Volume, placement: Placement, grid: Grid) -> Labels:
    """One (H, W) uint8 label slice on the canonical grid; background outside the image.

    Each label's mask passes through the same filter as the image and the largest share wins, so
    image and labels stay aligned and thin structures are not lost at random.
    """
    present = np.union1d(labels, np.uint8(0))
    if len(present) == 1:
        return np.zeros((grid.size, grid.size), np.uint8)
    # Outside, no label has a share, and the first, background, wins.
    shares = [
        _resample((labels == label).astype(np.float32), volume, placement, grid, 0)
        for label in present
    ]
    winners: Labels = present[np.argmax(shares, axis=0)]
    return winners


def _resample(
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
    corner = np.array(placement.centre_mm) - grid.spacing_mm * (grid.size - 1) / 2
    target = sitk.ResampleImageFilter()
    target.SetSize([grid.size] * 2)
    target.SetOutputSpacing([grid.spacing_mm] * 2)
    target.SetOutputOrigin(corner[::-1].tolist())
    target.SetInterpolator(sitk.sitkLinear)
    target.SetDefaultPixelValue(outside)
    result: npt.NDArray[np.float32] = sitk.GetArrayFromImage(target.Execute(source))
    return result
