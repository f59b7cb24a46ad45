import numpy as np
import pytest

from cl_seg.phantom.physics.basis_materials import attenuation_table
from cl_seg.phantom.profiles import load_profile, profile_names
from experiments.simulator.validation import theory
from experiments.simulator.validation.phantoms import GEOMETRY, laboratory

PROFILE = laboratory(load_profile("siemens_like"))


def test_hu_of_denser_water_is_its_excess_of_density():
    ratio = attenuation_table()["fluid"] / attenuation_table()["water"]
    expected = 1000 * (ratio.mean() - 1)
    assert theory.hounsfield("fluid", "native", PROFILE, GEOMETRY) == pytest.approx(expected, 1e-3)


def test_iodine_is_brighter_at_low_voltage():
    low, high = (laboratory(PROFILE, kvp=kvp) for kvp in (80, 140))
    at = [theory.hounsfield("artery", "portal_venous", p, GEOMETRY) for p in (low, high)]
    assert at[0] > 1.5 * at[1]


def test_variance_falls_with_photons_and_grows_with_water():
    single, double = laboratory(PROFILE, mas=1), laboratory(PROFILE, mas=2)
    one, twice = (theory.reading_variance(p, 150, GEOMETRY) for p in (single, double))
    np.testing.assert_allclose(one, 2 * twice)
    middle = GEOMETRY.channels // 2
    thick = theory.reading_variance(single, 175, GEOMETRY)
    # 5 cm more of water at 0.019 to 0.021 per mm.
    assert np.exp(0.93) < thick[middle] / one[middle] < np.exp(1.06)


def test_mean_variance_is_a_weighted_mean_over_rays():
    variance = theory.reading_variance(PROFILE, 150, GEOMETRY)
    point = theory.mean_variance(PROFILE, 150, np.ones(1), 1.0, GEOMETRY)
    assert point == pytest.approx(variance[GEOMETRY.channels // 2])
    wide = theory.mean_variance(PROFILE, 150, np.ones(101), 1.0, GEOMETRY)
    centred = theory.mean_variance(PROFILE, 150, np.hanning(101), 1.0, GEOMETRY)
    assert wide < centred < point  # the longest chords are in the middle


@pytest.mark.parametrize("name", profile_names())
def test_noise_power_integrates_to_the_variance(name):
    profile = laboratory(load_profile(name))
    f = np.linspace(0, 1 / (2 * GEOMETRY.pitch_mm), 20_001)
    power = theory.noise_power(profile, 0.5, f, GEOMETRY)
    integral = np.trapezoid(2 * np.pi * f * power, f)
    assert np.sqrt(integral) == pytest.approx(theory.noise_sd(profile, 0.5, GEOMETRY), rel=2e-3)


def test_noise_of_a_bare_ramp_is_the_textbooks():
    # ∫ f² df over ±1/(2Δ) is 1/(12 Δ³): the variance is π² s² / (12 V Δ²).
    sharp = PROFILE.reconstruction.model_copy(update={"mtf50_per_mm": 1e3, "mtf10_per_mm": 2e3})
    pinhole = PROFILE.detector.model_copy(update={"aperture_mm": 1e-6})
    bare = PROFILE.model_copy(update={"reconstruction": sharp, "detector": pinhole})
    expected = 1000 * np.pi * np.sqrt(0.5 / (12 * GEOMETRY.views)) / GEOMETRY.pitch_mm
    assert theory.noise_sd(bare, 0.5, GEOMETRY) == pytest.approx(expected, rel=2e-3)
