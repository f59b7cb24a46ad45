"""Filtered back-projection with a kernel given by its MTF: from water path lengths to HU."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics.projection import Geometry, filtered_back_projection
from cl_seg.phantom.profiles import Profile

Floats = npt.NDArray[np.floating[Any]]


def mtf(frequencies: Floats, mtf50: float, mtf10: float, edge_boost: float) -> Floats:
    """Target MTF: a stretched exponential through (mtf50, ½) and (mtf10, ⅒), and an edge bump."""
    power = np.log(np.log(10) / np.log(2)) / np.log(mtf10 / mtf50)
    base = np.exp(-np.log(2) * (frequencies / mtf50) ** power)
    bump = np.exp(-(((frequencies - 0.54 * mtf50) / (0.3 * mtf50)) ** 2))
    at_zero = np.exp(-((0.54 / 0.3) ** 2))  # taken off, so that water stays 0 HU
    target: Floats = (base * (1 + edge_boost * (bump - at_zero))).astype(np.float32)
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
        (size, size) HU, before calibration errors and limits.
    """
    settings = profile.reconstruction
    target = mtf(
        geometry.frequencies, settings.mtf50_per_mm, settings.mtf10_per_mm, settings.edge_boost
    )
    aperture = np.sinc(geometry.frequencies * profile.detector.aperture_mm)
    window = (target / np.maximum(np.abs(aperture), 0.25)).astype(np.float32)
    water = filtered_back_projection(water_mm, window, size, fov_mm / size, geometry)
    hu: Floats = (1000 * (water - 1)).astype(np.float32)
    return hu
