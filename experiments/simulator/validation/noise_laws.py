"""Laws of quantum noise: dose, slice thickness, absolute level and power spectrum.

All are measured on 16 × 16 cm² in the middle of a 30 cm water disk, from repeated scans. The
standard deviation has a standard error below 1 % (returned by ``measure.noise_sd``, tested).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics import noise as quantum_noise
from cl_seg.phantom.profiles import Profile, load_profile
from experiments.simulator.validation import theory
from experiments.simulator.validation.checks import Check, Curve, Law
from experiments.simulator.validation.measure import (
    noise_only,
    noise_power,
    noise_sd,
    peak,
    region_weight,
)
from experiments.simulator.validation.phantoms import (
    GEOMETRY,
    REFERENCE,
    ZOOM,
    disk,
    image,
    laboratory,
    water,
    with_slice,
)

Single = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating[Any]]

CURRENTS = (45.0, 90.0, 180.0, 360.0)  # mAs
SLICES = (1.0, 2.5, 5.0)  # mm
RADIUS = 150.0  # mm, of the water disk
REGION = 320  # pixels, the width of the measured square
ROI = 160  # pixels, of noise power
BIN = 1 / (ROI * ZOOM.pixel_mm)  # 1/mm, of noise power
REPEATS = 8


@lru_cache(maxsize=16)
def noise(profile: Profile, repeats: int = REPEATS) -> Single:
    """Noise in the middle of a water disk, (repeats, REGION, REGION) HU.

    The random numbers are fixed, and others for every dose and slice thickness.
    """
    maps = water(disk(RADIUS), field=ZOOM)
    start = (ZOOM.image_size - REGION) // 2
    square = slice(start, start + REGION)
    setting = (round(10 * profile.tube.mas), round(10 * profile.detector.slice_mm))
    scans = [image(maps, profile, ZOOM, (*setting, i))[square, square] for i in range(repeats)]
    return noise_only(np.stack(scans)).astype(np.float32)


def dose(currents: Sequence[float] = CURRENTS) -> list[Check]:
    """Noise is proportional to mAs to the power −½: within 5 % of the largest mAs' noise."""
    profiles = [laboratory(load_profile(REFERENCE), mas=mas) for mas in currents]
    return _root_law(Law.DOSE, "mAs", np.array(currents), profiles)


def slice_thickness(slices: Sequence[float] = SLICES) -> list[Check]:
    """Noise is proportional to slice thickness to the power −½: within 5 % of the thickest's."""
    profile = laboratory(load_profile(REFERENCE))
    return _root_law(Law.SLICE, "mm", np.array(slices), [with_slice(profile, s) for s in slices])


def _root_law(law: Law, unit: str, x: Floats, profiles: Sequence[Profile]) -> list[Check]:
    measured = np.array([noise_sd(noise(profile))[0] for profile in profiles])
    expected = measured[-1] * np.sqrt(x[-1] / x)
    exponent = float(np.polyfit(np.log(x), np.log(measured), 1)[0])
    curve = Curve(unit, x, measured, expected)
    checks = [
        Check(law, f"{value:g} {unit}", m, e, 0.05, "HU", "relative", curve)
        for value, m, e in zip(x[:-1], measured.tolist(), expected.tolist(), strict=False)
    ]
    return [*checks, Check(law, "fitted exponent", exponent, -0.5, 0.02, "", curve=curve)]


def _variance(profile: Profile, weight: Floats) -> float:
    return theory.mean_variance(profile, RADIUS, weight, ZOOM.pixel_mm, GEOMETRY)


def level(names: Sequence[str]) -> list[Check]:
    """Noise is what the detected photons and the kernel make it, within 3 %.

    That is less than the effect of any single factor of the detector's noise.
    """
    checks = []
    for name in names:
        profile = laboratory(load_profile(name))
        measured, _ = noise_sd(noise(profile))
        expected = quantum_noise.noise_sd(profile, _variance(profile, np.ones(REGION)), GEOMETRY)
        checks.append(Check(Law.LEVEL, name, measured, expected, 0.03, "HU", "relative"))
    return checks


def spectrum(names: Sequence[str]) -> list[Check]:
    """Noise power vanishes at 0 and has the peak and the shape of ramp times MTF².

    At frequency 0 a finite region sees the noise of its neighbouring frequencies, about a tenth of
    the peak: 15 % are tolerated. The peak may be two bins away.
    """
    checks = []
    for name in names:
        profile = laboratory(load_profile(name))
        frequencies, power = noise_power(noise(profile), ZOOM.pixel_mm, ROI)
        variance = _variance(profile, region_weight(REGION, ROI))
        expected = theory.noise_power(profile, variance, frequencies, GEOMETRY)
        curve = Curve(name, frequencies, power, expected)
        at, top = peak(frequencies, power)
        wanted, _ = peak(frequencies, expected)
        likeness = float(np.corrcoef(power, expected)[0, 1])
        law, dc = Law.SPECTRUM, float(power[0]) / top
        checks += [
            Check(law, f"{name}, at 0 / peak", dc, 0, 0.15, "", curve=curve),
            Check(law, f"{name}, peak", at, wanted, 2 * BIN, "1/mm", curve=curve),
            Check(law, f"{name}, correlation", likeness, 1, 0.01, "", curve=curve),
        ]
    return checks
