"""Beam-hardening correction for water: from polychromatic attenuation to water path lengths."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics.spectrum import Beam

Floats = npt.NDArray[np.floating[Any]]

DEGREE = 6  # of the polynomial; residual below 0.1 mm (tested)
LONGEST_MM = 600.0


def water_calibration(beam: Beam) -> Floats:
    """Fit polynomials from the attenuation behind water to its thickness.

    Returns:
        (DEGREE, channels) coefficients of p, p², … in mm; no constant term.
    """
    thickness = np.linspace(1, LONGEST_MM, 200)
    transmission = np.exp(-np.outer(thickness, beam.attenuation[:, 0]))
    energy = beam.photons * beam.energies[:, None]
    attenuation = np.log(energy.sum(0) / (transmission @ energy))
    fits = []
    for channel in attenuation.T:
        powers = channel[:, None] ** np.arange(1, DEGREE + 1)
        fits.append(np.linalg.lstsq(powers / channel[:, None], thickness / channel)[0])
    return np.stack(fits, axis=1)


def water_thickness(readings: Floats, open_field: Floats, calibration: Floats) -> Floats:
    """Water path lengths in mm, (views, channels).

    Args:
        readings: (views, channels) in keV.
        open_field: (channels,) readings without a patient in keV.
        calibration: see :func:`water_calibration`.
    """
    attenuation = np.log(open_field / readings)
    total = np.zeros_like(attenuation)
    for coefficients in calibration[::-1].astype(np.float32):
        total = (total + coefficients) * attenuation
    return total
