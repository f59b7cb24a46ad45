import numpy as np
import pytest

from cl_seg.phantom.physics.noise import (
    RADIUS_MM,
    STANDARD_KERNEL,
    mas_for_noise,
    noise_sd,
    reading_variance,
    standard_noise,
)
from cl_seg.phantom.physics.scanner import GEOMETRY
from cl_seg.phantom.profiles import load_profile

PROFILE = load_profile("siemens_like")
MIDDLE = GEOMETRY.channels // 2


def at(mas):
    return PROFILE.model_copy(update={"tube": PROFILE.tube.model_copy(update={"mas": mas})})


def test_variance_falls_with_photons_and_grows_with_water():
    single, double = at(1), at(2)
    one, twice = (reading_variance(p, 150, GEOMETRY) for p in (single, double))
    np.testing.assert_allclose(one, 2 * twice)
    thick = reading_variance(single, 175, GEOMETRY)
    # 5 cm more of water at 0.019 to 0.021 per mm.
    assert np.exp(0.93) < thick[MIDDLE] / one[MIDDLE] < np.exp(1.06)


def test_noise_of_a_bare_ramp_is_the_textbooks():
    # ∫ f² df over ±1/(2Δ) is 1/(12 Δ³): the variance is π² s² / (12 V Δ²).
    sharp = PROFILE.reconstruction.model_copy(update={"mtf50_per_mm": 1e3, "mtf10_per_mm": 2e3})
    pinhole = PROFILE.detector.model_copy(update={"aperture_mm": 1e-6})
    bare = PROFILE.model_copy(update={"reconstruction": sharp, "detector": pinhole})
    expected = 1000 * np.pi * np.sqrt(0.5 / (12 * GEOMETRY.views)) / GEOMETRY.pitch_mm
    assert noise_sd(bare, 0.5, GEOMETRY) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("noise_hu", [5.0, 60.0])
@pytest.mark.parametrize("mas", [1.0, 180.0])
def test_the_current_for_a_noise_brings_it(noise_hu, mas):
    profile = at(mas_for_noise(at(mas), noise_hu, GEOMETRY))
    assert standard_noise(profile, GEOMETRY) == pytest.approx(noise_hu)


def test_noise_with_the_standard_kernel_is_that_of_theory_and_does_not_depend_on_the_kernel():
    kernels = [
        PROFILE.model_copy(update={"reconstruction": PROFILE.reconstruction.model_copy(update=one)})
        for one in (STANDARD_KERNEL, {"mtf50_per_mm": 0.6, "mtf10_per_mm": 0.9})
    ]
    standard, sharp = (standard_noise(profile, GEOMETRY) for profile in kernels)
    assert standard == sharp
    variance = float(reading_variance(kernels[0], RADIUS_MM, GEOMETRY)[MIDDLE])
    assert standard == pytest.approx(noise_sd(kernels[0], variance, GEOMETRY))
