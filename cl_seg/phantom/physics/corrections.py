"""Water beam-hardening correction: from polychromatic attenuation to water path lengths."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics.spectrum import Beam

Floats = npt.NDArray[np.floating[Any]]

DEGREE = 6  # of the polynomial; residual below 0.1 mm (tested)
LONGEST_MM = 600.0


def water_calibration(source: Beam) -> Floats:
    """Polynomials that turn attenuation behind water into its thickness.

    Returns:
        (DEGREE, channels) coefficients of p, p², … in mm; no constant term.
    """
    thickness = np.linspace(1, LONGEST_MM, 200)
    transmission = np.exp(-np.outer(thickness, source.attenuation[:, 0]))
    energy = source.photons * source.energies[:, None]
    attenuation = np.log(energy.sum(0) / (transmission @ energy))
    fits = []
    for channel in attenuation.T:
        powers = channel[:, None] ** np.arange(1, DEGREE + 1)
        fits.append(np.linalg.lstsq(powers / channel[:, None], thickness / channel)[0])
    return np.stack(fits, axis=1)


def water_thickness(readings: Floats, open_field: Floats, calibration: Floats) -> Floats:
    """Readings (views, channels) in keV to millimetres of water."""
    attenuation = np.log(open_field / readings)
    total = np.zeros_like(attenuation)
    for coefficients in calibration[::-1].astype(np.float32):
        total = (total + coefficients) * attenuation
    return total
