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
from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.physics.reconstruction import mtf
from cl_seg.phantom.physics.spectrum import bowtie_mm, photons_per_reading
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


def target_mtf(profile: Profile, frequencies: Floats) -> Floats:
    """MTF of the profile's kernel."""
    kernel = profile.reconstruction
    return mtf(frequencies, kernel.mtf50_per_mm, kernel.mtf10_per_mm, kernel.edge_boost).astype(
        np.float64
    )


def filter_response(profile: Profile, geometry: Geometry) -> Floats:
    """Response in 1/mm of the filter on projections: ramp times MTF, without the aperture's blur.

    Returns:
        (channels // 2 + 1,).
    """
    frequencies = geometry.frequencies.astype(np.float64)
    aperture = np.sinc(frequencies * profile.detector.aperture_mm)
    window = target_mtf(profile, frequencies) / np.maximum(np.abs(aperture), 0.25)
    return frequencies * window


def reading_variance(profile: Profile, radius: float, geometry: Geometry) -> Floats:
    """Quantum variance of the water path through a centred disk in mm², (channels,).

    n(E) detected photons bring the variance (1 + swank) Σ n E² to the signal Σ n E, which falls by
    Σ n E µ per mm of water.
    """
    table = attenuation_table()
    chord = 2 * np.sqrt(np.maximum(radius**2 - geometry.positions.astype(np.float64) ** 2, 0))
    path = np.outer(chord, table["water"])
    path += np.outer(bowtie_mm(profile.tube, geometry), table["aluminium"])
    photons = photons_per_reading(profile, geometry) * np.exp(-path)
    energy, slope = energies(), energies() * table["water"]
    variance: Floats = (1 + profile.detector.swank) * (photons @ energy**2) / (photons @ slope) ** 2
    return variance


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


def noise_sd(profile: Profile, variance: float, geometry: Geometry) -> float:
    """Standard deviation in HU for readings of a variance in mm² (Kak & Slaney 1988, ch. 5).

    Back-projection is a mean over V views times π, so independent readings of variance s² give the
    variance π² s² / V · 1/N Σ |H|², N channels and H the filter's response.
    """
    response = filter_response(profile, geometry)
    both_signs = np.full(len(response), 2.0)
    both_signs[[0, -1]] = 1.0
    power = (both_signs @ response**2) / geometry.channels
    return float(1000 * np.pi * np.sqrt(variance * power / geometry.views))


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
