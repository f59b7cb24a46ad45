"""From water path lengths to an image in HU, as the scanner would show it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.profiles import Profile
from cl_seg.phantom.projection import Geometry, back_project

Floats = npt.NDArray[np.floating[Any]]

PADDING = -1024.0  # HU outside the field of view
SOFT_TISSUE = (-300.0, 400.0)  # HU, range of the iterative look (engineering value)


def mtf(frequencies: Floats, mtf50: float, mtf10: float, edge_boost: float) -> Floats:
    """Target MTF: a stretched exponential through (mtf50, ½) and (mtf10, ⅒), and an edge bump."""
    power = np.log(np.log(10) / np.log(2)) / np.log(mtf10 / mtf50)
    base = np.exp(-np.log(2) * (frequencies / mtf50) ** power)
    bump = np.exp(-(((frequencies - 0.54 * mtf50) / (0.3 * mtf50)) ** 2))
    target: Floats = (base * (1 + edge_boost * bump)).astype(np.float32)
    return target


def reconstruct(
    water_mm: Floats, profile: Profile, fov_mm: float, size: int, geometry: Geometry
) -> Floats:
    """Reconstruct one slice.

    Args:
        water_mm: (views, channels) water path lengths.
        profile: the scanner.
        fov_mm: diameter of the field of view.
        size: width of the image in pixels.
        geometry: views and channels.

    Returns:
        (size, size) HU, ``PADDING`` outside the field of view.
    """
    settings = profile.reconstruction
    target = mtf(
        geometry.frequencies, settings.mtf50_per_mm, settings.mtf10_per_mm, settings.edge_boost
    )
    aperture = np.sinc(geometry.frequencies * profile.detector.aperture_mm)
    window = (target / np.maximum(np.abs(aperture), 0.25)).astype(np.float32)
    water = back_project(water_mm, window, size, fov_mm / size, geometry)
    hu = 1000 * (water - 1) * settings.hu_gain + settings.hu_offset
    if settings.iterative_blend:
        hu = iterative_look(hu, settings.iterative_blend, settings.iterative_strength)
    centred = np.arange(size) - (size - 1) / 2
    outside = np.hypot.outer(centred, centred) > size / 2
    return np.where(outside, np.float32(PADDING), np.clip(hu, PADDING, 3071)).astype(np.float32)


def iterative_look(hu: Floats, blend: float, strength: float) -> Floats:
    """Mix soft tissue with its total-variation denoised image, as hybrid iterative methods look."""
    low, high = SOFT_TISSUE
    smooth = denoise_tv(np.clip(hu, low, high), strength * noise_level(hu))
    return np.where((hu > low) & (hu < high), (1 - blend) * hu + blend * smooth, hu)


def noise_level(hu: Floats) -> float:
    """Noise in HU of the soft tissue: median absolute Laplacian (after Immerkær 1996)."""
    rows = hu[:-2] - 2 * hu[1:-1] + hu[2:]
    laplacian = (rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]) / 6
    soft = np.abs(hu[1:-1, 1:-1]) < 200
    # 1.4826 makes the median a standard deviation; 1.2 allows for correlated noise.
    return float(1.2 * 1.4826 * np.median(np.abs(laplacian[soft]))) if soft.any() else 0.0


def denoise_tv(image: Floats, weight: float, iterations: int = 30) -> Floats:
    """Total-variation denoising by projected dual gradient descent (Chambolle 2004).

    Args:
        image: (H, W).
        weight: weight of the total variation, in the units of the image.
        iterations: fixed, so that results are reproducible.
    """
    if weight <= 0:
        return image
    dual = np.zeros((2, *image.shape), np.float32)
    for _ in range(iterations):
        residual = _divergence(dual) - image / np.float32(weight)
        gradient = np.zeros_like(dual)
        np.subtract(residual[1:], residual[:-1], out=gradient[0, :-1])
        np.subtract(residual[:, 1:], residual[:, :-1], out=gradient[1, :, :-1])
        gradient *= np.float32(0.25)
        dual = (dual + gradient) / (1 + np.hypot(gradient[0], gradient[1]))
    smooth: Floats = image - np.float32(weight) * _divergence(dual)
    return smooth


def _divergence(dual: Floats) -> Floats:
    total: Floats = dual.sum(axis=0)
    total[1:] -= dual[0, :-1]
    total[:, 1:] -= dual[1, :, :-1]
    return total
