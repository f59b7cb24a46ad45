"""Labels on the pixels of a series are those of interpolating every pixel by SimpleITK."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from cl_seg.inference.series_pixels import SeriesPixels
from cl_seg.scans.area_preserving_labels import upsample_labels
from cl_seg.scans.resample import Placement, centre_grid, grid_coverage
from cl_seg.scans.series import Volume
from cl_seg.scans.store import Grid


def volume(spacing: tuple[float, float], origin: tuple[float, float], size: int = 90) -> Volume:
    hu = np.full((1, size, size + 7), -1000, np.int16)
    hu[0, 9:-9, 9:-9] = 40
    return Volume(hu, np.zeros(1), spacing, origin)


def probabilities(classes: int, size: int, seed: int) -> np.ndarray:
    """Smooth ones, with thin structures, that add up to one."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(classes, size, size))
    logits = np.stack([ndimage.gaussian_filter(each, 2.5) for each in logits]) * 40
    logits[1, size // 2] += 6
    shares = np.exp(logits - logits.max(axis=0))
    return (shares / shares.sum(axis=0)).astype(np.float32)


def by_simpleitk(
    probability: np.ndarray, series: Volume, placement: Placement, grid: Grid
) -> np.ndarray:
    """Interpolate the probabilities and the decided labels on all pixels of the series."""
    best = probability.argmax(axis=0)
    decided = (best == np.arange(len(probability))[:, None, None]).astype(np.float32)
    each = [
        np.stack([resampled(one, series, placement, grid) for one in values])
        for values in (probability, decided)
    ]
    outside = np.isnan(each[0][0])
    for values in each:
        values[:, outside] = np.eye(len(values))[0][:, None]
    down, across = (
        share * grid.spacing_mm / spacing
        for share, spacing in zip(
            grid_coverage(series, placement, grid), series.spacing_mm, strict=True
        )
    )
    areas = np.array([down @ mask @ across for mask in decided])
    areas[0] += outside.size - areas.sum()
    return upsample_labels(*each, areas)


def resampled(values: np.ndarray, series: Volume, placement: Placement, grid: Grid) -> np.ndarray:
    source = sitk.GetImageFromArray(np.pad(values, 1, mode="edge"))
    source.SetSpacing([grid.spacing_mm] * 2)
    corner = np.array(placement.centre_mm) - grid.spacing_mm * (grid.size + 1) / 2
    source.SetOrigin(corner[::-1].tolist())
    target = sitk.ResampleImageFilter()
    target.SetSize(series.hu.shape[:0:-1])
    target.SetOutputSpacing(series.spacing_mm[::-1])
    target.SetOutputOrigin(series.origin_mm[::-1])
    target.SetInterpolator(sitk.sitkLinear)
    target.SetDefaultPixelValue(float("nan"))
    return sitk.GetArrayFromImage(target.Execute(source))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.7, 0.9), (3.0, 2.5), (0.78125, 0.78125)])
@pytest.mark.parametrize("origin", [(0.0, 0.0), (-130.5, 42.25), (17.3, -211.1)])
@pytest.mark.parametrize("classes", [2, 3])
def test_labels_are_those_of_interpolating_every_pixel(
    spacing: tuple[float, float], origin: tuple[float, float], classes: int
) -> None:
    series, grid = volume(spacing, origin), Grid(32, 3.0)
    placement = centre_grid(series, grid)
    probability = probabilities(classes, grid.size, seed=round(origin[1]) % 7)
    labels = SeriesPixels(series, placement, grid).labels(probability)
    assert labels.dtype == np.uint8 and len(np.unique(labels)) == classes
    assert np.array_equal(labels, by_simpleitk(probability, series, placement, grid))


def test_a_grid_of_the_pixels_of_the_series_keeps_its_labels() -> None:
    series, grid = volume((2.0, 2.0), (0.0, 0.0), 40), Grid(64, 2.0)
    placement = centre_grid(series, grid)
    probability = probabilities(3, grid.size, seed=1)
    labels = SeriesPixels(series, placement, grid).labels(probability)
    first = np.round(
        (np.array(series.origin_mm) - placement.centre_mm) / 2 + (grid.size - 1) / 2
    ).astype(int)
    rows, columns = (slice(at, at + n) for at, n in zip(first, labels.shape, strict=True))
    assert np.array_equal(labels, probability.argmax(axis=0)[rows, columns])
