"""Detector readings: polychromatic attenuation, scatter, quantum and electronic noise."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import fft, ifft, irfft, rfft
from scipy.ndimage import gaussian_filter1d

from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.physics.spectrum import Beam
from cl_seg.phantom.profiles import Detector

Floats = npt.NDArray[np.floating[Any]]

SCATTER_WIDTH_MM = 55.0  # standard deviation of the scatter kernel (engineering value)
# The vendor's correction subtracts the same model with a kernel that is too narrow, and is
# calibrated: with this share the inside of 34 × 24 cm of water, an average body, reads 0 HU in the
# mean at 100 to 140 kV (engineering values).
CORRECTED_WIDTH_MM, CORRECTED_SHARE = 50.0, 1.01
BLOCK_VIEWS = 36  # computed at once, so that they stay in the processor's cache
NEGLIGIBLE = 1e-7  # response of a kernel, the precision of a float32
SMOOTH_VIEWS = 10  # views over which tube current and scatter are smooth (engineering value)


@dataclass(frozen=True)
class Signal:
    """Energy-integrated readings in keV.

    Attributes:
        mean: (views, channels) expectation behind the patient, at mean tube current.
        variance: (views, channels) of the absorbed energy, keV².
        open_field: (channels,) expectation without a patient.
    """

    mean: Floats
    variance: Floats
    open_field: Floats

    @cached_property
    def attenuation(self) -> Floats:
        """(views, channels) logarithm of the open field over the expectation."""
        attenuation: Floats = np.log(self.open_field / np.maximum(self.mean, 1e-9))
        return attenuation


def expected_signal(lines: Floats, beam: Beam) -> Signal:
    """Beer–Lambert over energy groups; quanta are compound Poisson, so variance is Σ n E².

    Args:
        lines: (3, views, channels) line integrals of the basis materials in mm.
        beam: in energy groups.
    """
    mean = np.empty(lines.shape[1:], np.float32)
    variance = np.empty_like(mean)
    mu, energies = (-beam.attenuation).astype(np.float32), beam.energies.astype(np.float32)
    open_field = beam.energies[:, None] * beam.photons
    logarithm = np.log(open_field).astype(np.float32)[:, None]
    for first in range(0, len(mean), BLOCK_VIEWS):
        views = slice(first, first + BLOCK_VIEWS)
        absorbed = np.tensordot(mu, lines[:, views], 1)  # (groups, views, channels)
        absorbed += logarithm
        np.exp(absorbed, out=absorbed)
        absorbed.sum(axis=0, out=mean[views])
        variance[views] = np.tensordot(energies, absorbed, 1)
    return Signal(mean, variance, open_field.sum(axis=0).astype(np.float32))


def tube_current(signal: Signal, modulation: float) -> Floats:
    """Tube current of every view relative to their mean, (views,).

    Args:
        signal: expectation.
        modulation: 0 for a constant current, 1 for the square root of the largest attenuation.
    """
    if not modulation:
        return np.ones(len(signal.mean), np.float32)
    current = np.exp(modulation * signal.attenuation.max(axis=1) / 2)
    smooth = gaussian_filter1d(current, SMOOTH_VIEWS, mode="wrap")
    relative: Floats = (smooth / smooth.mean()).astype(np.float32)
    return relative


def residual_scatter(signal: Signal, fraction: float, geometry: Geometry) -> Floats:
    """Scatter that is left after the vendor's correction, in keV, (views, channels).

    Scatter and correction are the forward-scatter potential, blurred by a kernel (Ohnesorge 1999);
    the correction's kernel is narrower. The rest is negative where the correction is too strong:
    the middle of a body is a few HU darker than its rim, its mean is right.

    Args:
        signal: expectation.
        fraction: scatter before correction, relative to the potential.
        geometry: views and channels.
    """
    potential = np.maximum(signal.mean * signal.attenuation, 0) / 2
    left = _gaussian_response(SCATTER_WIDTH_MM, geometry.frequencies)
    left -= CORRECTED_SHARE * _gaussian_response(CORRECTED_WIDTH_MM, geometry.frequencies)
    left = left[np.abs(left) > NEGLIGIBLE]  # so broad a kernel leaves but the lowest frequencies
    around = _gaussian_response(SMOOTH_VIEWS, np.fft.fftfreq(geometry.views))
    blur = (fraction * np.outer(around, left)).astype(np.float32)
    spectrum = fft(rfft(potential)[:, : len(left)], axis=0) * blur
    residual: Floats = irfft(ifft(spectrum, axis=0), geometry.channels)
    return residual


def _gaussian_response(width: float, frequencies: Floats) -> Floats:
    """Fourier transform of a Gaussian of a standard deviation and of unit area."""
    response: Floats = np.exp(-2 * (np.pi * width * frequencies) ** 2)
    return response


def detect(
    signal: Signal,
    current: Floats,
    scatter: Floats | float,
    detector: Detector,
    rng: np.random.Generator | None,
) -> Floats:
    """Noisy readings in keV, divided by the relative tube current, (views, channels).

    Args:
        signal: expectation and variance.
        current: (views,) relative tube current.
        scatter: added to the expectation, in keV.
        detector: electronic noise and Swank factor.
        rng: quantum and electronic noise; None leaves both out.
    """
    current = current[:, None]
    readings = (signal.mean + scatter) * current
    electronic = np.float32(detector.electronic_noise_kev)
    if rng is not None:
        variance = signal.variance * current * np.float32(1 + detector.swank) + electronic**2
        readings += np.sqrt(variance) * rng.standard_normal(variance.shape, np.float32)
    # Readings at or below the electronic noise carry no information and have no logarithm.
    lowest = np.float32(max(detector.electronic_noise_kev / 2, 1))
    readings = np.maximum(readings, lowest)
    return readings / current
