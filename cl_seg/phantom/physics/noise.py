"""Quantum noise of an image by theory, and the tube current that brings a wanted noise."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics.basis_materials import attenuation_table, energies
from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.physics.reconstruction import mtf
from cl_seg.phantom.physics.spectrum import bowtie_mm, photons_per_reading
from cl_seg.phantom.profiles import Profile

Floats = npt.NDArray[np.floating[Any]]

RADIUS_MM = 150.0  # of the water disk in whose middle the noise of a scanner is stated
# That of harder kernels in patients (doi 10.1118/1.4958208).
STANDARD_KERNEL = {"mtf50_per_mm": 0.42, "mtf10_per_mm": 0.7, "edge_boost": 0.0}


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


def standard_noise(profile: Profile, geometry: Geometry) -> float:
    """Quantum noise in HU in the middle of 30 cm of water with ``STANDARD_KERNEL``.

    It says how many photons are detected, whatever the kernel and a hybrid iterative appearance
    make of their noise.
    """
    kernel = profile.reconstruction.model_copy(update=STANDARD_KERNEL)
    standard = profile.model_copy(update={"reconstruction": kernel})
    pair = replace(geometry, channels=2)  # the second ray is the one through the middle
    variance = float(reading_variance(standard, RADIUS_MM, pair)[1])
    return noise_sd(standard, variance, geometry)


def mas_for_noise(profile: Profile, noise_hu: float, geometry: Geometry) -> float:
    """Tube current times rotation time in mAs at which :func:`standard_noise` is ``noise_hu``."""
    return profile.tube.mas * (standard_noise(profile, geometry) / noise_hu) ** 2
