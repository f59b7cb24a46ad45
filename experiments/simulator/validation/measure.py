"""Physical quantities read from images: means, noise, noise power and sharpness."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter
from scipy.signal.windows import tukey

Image = npt.NDArray[np.floating[Any]]
Floats = npt.NDArray[np.floating[Any]]

MUSCLE_HU = (-29.0, 150.0)  # of muscle on CT, by convention
NOISE_SIDE_MM = 8.0  # engineering value: several grains of noise, smaller than most organs


def distances(size: int, pixel_mm: float, x: float = 0.0, y: float = 0.0) -> Floats:
    """Distance of each pixel from a point, in mm from the middle of the image, (size, size)."""
    axis = (np.arange(size) - (size - 1) / 2) * pixel_mm
    distance: Floats = np.hypot.outer(axis - y, axis - x)
    return distance


def disk_mean(hu: Image, pixel_mm: float, x: float, y: float, radius: float) -> float:
    """Mean over the disk of a radius about a point, in mm."""
    return float(hu[distances(len(hu), pixel_mm, x, y) < radius].mean(dtype=np.float64))


def radial_mean(values: Image, distance: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """Mean distance and mean value of the pixels between neighbouring edges.

    Args:
        values: any shape.
        distance: of each value, same shape.
        edges: (n + 1,) ascending.

    Returns:
        Two (n,) arrays.

    Raises:
        ValueError: no pixel lies between two of the edges.
    """
    place = np.digitize(distance.ravel(), edges)
    counts, at, sums = (
        np.bincount(place, weights, len(edges) + 1)[1:-1]
        for weights in (None, distance.ravel(), values.ravel())
    )
    if not counts.all():
        raise ValueError("a ring holds no pixel: the edges are too close")
    return at / counts, sums / counts


def non_uniformity(hu: Image, pixel_mm: float, radius: float, roi: float = 10.0) -> float:
    """Largest difference of four peripheral means from the central one (as IEC 61223-3-5).

    Args:
        hu: (N, N), of a uniform disk in the middle.
        pixel_mm: pixel size.
        radius: distance of the peripheral regions from the middle in mm.
        roi: radius of all five regions in mm.
    """
    centre = disk_mean(hu, pixel_mm, 0, 0, roi)
    places = [(radius, 0), (0, radius), (-radius, 0), (0, -radius)]
    around = [disk_mean(hu, pixel_mm, x, y, roi) for x, y in places]
    return max(abs(value - centre) for value in around)


def noise_only(repeats: Image) -> Image:
    """Noise of repeated scans: the mean scan taken off, at unbiased variance, (scans, N, N)."""
    scans = len(repeats)
    residual: Image = (repeats - repeats.mean(axis=0)) * np.sqrt(scans / (scans - 1))
    return residual


def noise_sd(noise: Image, blocks: int = 8) -> tuple[float, float]:
    """Standard deviation of noise images and its standard error.

    The error is that of the mean variance of square blocks wider than the noise is correlated.

    Args:
        noise: (scans, N, N) of mean 0.
        blocks: number of blocks along each axis; N must be a multiple of it.
    """
    side = noise.shape[1] // blocks
    squares = (noise.astype(np.float64) ** 2).mean(axis=0)
    variances = squares.reshape(blocks, side, blocks, side).mean(axis=(1, 3))
    sd = float(np.sqrt(variances.mean()))
    return sd, float(variances.std(ddof=1) / blocks / (2 * sd))


def noise_power(noise: Image, pixel_mm: float, roi: int) -> tuple[Floats, Floats]:
    """Radially averaged noise power spectrum (Siewerdsen et al. 2002; AAPM TG-233).

    Half overlapping regions under a Hann window. Their background is gone with the mean scan; a
    polynomial is not taken off as well, since it would take the noise at frequency 0 with it.

    Args:
        noise: (scans, N, N) of mean 0.
        pixel_mm: pixel size.
        roi: width of a region in pixels.

    Returns:
        Frequencies in 1/mm, the first one 0, and power in the square of the noise's unit times mm².
    """
    window = np.outer(_hann(roi), _hann(roi))
    starts = _starts(noise.shape[1], roi)
    regions = [noise[:, y : y + roi, x : x + roi] for y in starts for x in starts]
    power = np.mean([np.abs(np.fft.fft2(r * window)) ** 2 for r in regions], axis=(0, 1))
    power *= pixel_mm**2 / (window**2).sum()
    axis = np.fft.fftfreq(roi, pixel_mm)
    step = 1 / (roi * pixel_mm)
    edges = (np.arange(roi // 2 + 1) - 0.5) * step
    return radial_mean(power, np.hypot.outer(axis, axis), edges)


def region_weight(size: int, roi: int) -> Floats:
    """Weight that ``noise_power`` gives to the noise of each row, or column, (size,)."""
    weight = np.zeros(size)
    for start in _starts(size, roi):
        weight[start : start + roi] += _hann(roi) ** 2
    return weight


def _hann(size: int) -> Floats:
    return np.hanning(size + 1)[:-1]


def _starts(size: int, roi: int) -> range:
    return range(0, size - roi + 1, roi // 2)


def peak(x: Floats, y: Floats, level: float = 0.75) -> tuple[float, float]:
    """Place and height of a maximum: of the parabola through the values above a share of it."""
    near = y > level * y.max()
    a, b, c = np.polyfit(x[near], y[near], 2)
    return float(-b / (2 * a)), float(c - b**2 / (4 * a))


def edge_spread(
    hu: Image, distance: Floats, radius: float, reach: float, step: float
) -> tuple[Floats, Floats]:
    """Oversampled profile across the edge of a disk (Richard et al. 2012).

    Args:
        hu: (N, N).
        distance: (N, N) from the middle of the disk in mm.
        radius: of the disk in mm.
        reach: on either side of its edge in mm.
        step: width of a bin in mm.

    Returns:
        Distances from the edge in mm, and HU.
    """
    edges = radius + np.arange(-round(reach / step), round(reach / step) + 1) * step
    at, values = radial_mean(hu, distance, edges)
    middles = (edges[1:] + edges[:-1]) / 2
    return middles - radius, np.interp(middles, at, values)


def transfer(spread: Floats, step: float) -> tuple[Floats, Floats]:
    """MTF of an edge spread: Fourier magnitude of its derivative, 1 at frequency 0.

    A Tukey window damps the ends and leaves the middle half alone. The blur of differences between
    neighbours, sinc(step · f), is taken out, and so is that of bins as wide.

    Args:
        spread: (n,) edge in the middle, flat at both ends.
        step: distance of its samples in mm.

    Returns:
        Frequencies in 1/mm and MTF.
    """
    line = np.diff(spread)
    magnitude = np.abs(np.fft.rfft(line * tukey(len(line), 0.5), 8 * len(line)))
    frequencies = np.fft.rfftfreq(8 * len(line), step)
    return frequencies, magnitude / magnitude[0] / np.sinc(frequencies * step) ** 2


def falls_to(frequencies: Floats, mtf: Floats, level: float) -> float:
    """Frequency at which an MTF first falls to a level, linear between samples."""
    after = int(np.argmax(mtf < level))
    pair = slice(after - 1, after + 1)
    return float(np.interp(level, mtf[pair][::-1], frequencies[pair][::-1]))


def muscle_mean(hu: Image) -> float:
    """Mean of the values of −29 to 150 HU, as muscle is read in studies of body composition."""
    low, high = MUSCLE_HU
    return float(hu[(hu >= low) & (hu <= high)].mean(dtype=np.float64))


def global_noise(hu: Image, pixel_mm: float) -> float:
    """Noise of a scan of a body in HU: the commonest local standard deviation in soft tissue.

    After Christianson et al. 2015, in squares of ``NOISE_SIDE_MM``: where they hold an edge they
    deviate more, but each by another amount.

    Args:
        hu: (N, N) with soft tissue.
        pixel_mm: pixel size.
    """
    side = max(3, round(NOISE_SIDE_MM / pixel_mm))
    values = np.clip(hu, -200, 300).astype(np.float64)
    mean, square = (uniform_filter(v, side) for v in (values, values**2))
    sd = np.sqrt(np.maximum(square - mean**2, 0))[(mean > 0) & (mean < 150)]
    counts, edges = np.histogram(sd, np.arange(0, 100, 0.5))
    smooth = uniform_filter(counts.astype(np.float64), 3)
    return float(edges[np.argmax(smooth)] + 0.25)
