"""HU, noise and sharpness by theory: closed forms of spectrum, photons and kernel."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics.basis_materials import (
    attenuation_table,
    basis_amounts,
    basis_attenuation,
    energies,
)
from cl_seg.phantom.physics.noise import filter_response, reading_variance
from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.physics.spectrum import photons_per_reading
from cl_seg.phantom.profiles import Profile

Floats = npt.NDArray[np.floating[Any]]

TYPICAL_WATER_MM = 300.0


def hounsfield(
    tissue: str, phase: str, profile: Profile, geometry: Geometry, enhancement: float = 1.0
) -> float:
    """HU of a tissue for the energy detected behind 30 cm of water.

    Args:
        tissue: one of ``TISSUES``.
        phase: of contrast.
        profile: the scanner.
        geometry: views and channels.
        enhancement: factor on iodine uptake.
    """
    water = attenuation_table()["water"]
    detected = photons_per_reading(profile, geometry) * np.exp(-TYPICAL_WATER_MM * water)
    weight = detected * energies()
    mu = basis_amounts(tissue, phase, enhancement) @ basis_attenuation()
    return float(1000 * ((weight @ mu) / (weight @ water) - 1))


def mean_variance(
    profile: Profile, radius: float, weight: Floats, pixel_mm: float, geometry: Geometry
) -> float:
    """Mean of ``reading_variance`` over the rays through the middle of a disk, in mm².

    Args:
        profile: the scanner.
        radius: of the water disk in mm.
        weight: (n,) of each row, and of each column, of a centred square of pixels.
        pixel_mm: size of a pixel.
        geometry: views and channels.
    """
    variance = reading_variance(profile, radius, geometry)
    axis = (np.arange(len(weight)) - (len(weight) - 1) / 2) * pixel_mm
    angles = np.arange(12) * np.pi / 12
    rays = [axis * np.cos(angle) + axis[:, None] * np.sin(angle) for angle in angles]
    means = np.mean([np.interp(ray, geometry.positions, variance) for ray in rays], axis=0)
    return float(weight @ means @ weight / weight.sum() ** 2)


def noise_power(
    profile: Profile, variance: float, frequencies: Floats, geometry: Geometry
) -> Floats:
    """Noise power spectrum in HU² mm² (Riederer, Pelc & Chesler 1978).

    V views put V / (π f) lines of spectrum through a unit area at frequency f, each of power
    (π / V)² s² Δ |H|² with the channels' pitch Δ.

    Args:
        profile: the scanner.
        variance: s² of the readings in mm².
        frequencies: (n,) in 1/mm.
        geometry: views and channels.

    Returns:
        (n,); 0 beyond the detector's Nyquist frequency.
    """
    response = filter_response(profile, geometry)
    per_area = np.pi / geometry.views * variance * geometry.pitch_mm
    power = np.zeros_like(response)
    power[1:] = 1e6 * per_area * response[1:] ** 2 / geometry.frequencies[1:]
    return np.interp(frequencies, geometry.frequencies, power, right=0.0)
