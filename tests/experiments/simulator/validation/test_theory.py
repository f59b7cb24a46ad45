import numpy as np
import pytest

from cl_seg.phantom.physics.basis_materials import attenuation_table
from cl_seg.phantom.physics.noise import noise_sd, reading_variance
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


def test_mean_variance_is_a_weighted_mean_over_rays():
    variance = reading_variance(PROFILE, 150, GEOMETRY)
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
    assert np.sqrt(integral) == pytest.approx(noise_sd(profile, 0.5, GEOMETRY), rel=2e-3)
