import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.phantom.drawn_profile import draw_profile
from cl_seg.phantom.physics.noise import standard_noise
from cl_seg.phantom.physics.scanner import GEOMETRY
from cl_seg.phantom.profiles import Profile, load_profile
from cl_seg.phantom.scanners import load_scanner

SCANNER = load_scanner("randomised")


def drawn(seed):
    return draw_profile(SCANNER, np.random.default_rng(seed))


@given(st.integers(0, 2**32))
def test_what_is_drawn_is_a_profile_within_the_ranges(seed):
    profile = drawn(seed)
    assert Profile.model_validate(profile.model_dump()) == profile
    assert profile.track == "randomised" and profile.display_name == SCANNER.display_name
    settings = profile.reconstruction
    low, high = SCANNER.kernel.mtf50_per_mm.values
    assert low <= settings.mtf50_per_mm <= high
    assert settings.mtf10_per_mm > settings.mtf50_per_mm
    assert settings.kernel == f"MTF50 {settings.mtf50_per_mm:.2f}/mm"
    assert len(settings.kernel) <= 16  # of a DICOM header
    assert round(standard_noise(profile, GEOMETRY), 6) in SCANNER.noise_hu.values


def test_the_same_generator_draws_the_same_profile_and_another_one_another():
    assert drawn(1) == drawn(1) != drawn(2)


def test_settings_are_independent():
    profiles = [drawn(i) for i in range(400)]
    columns = np.array([
        [p.tube.kvp, p.detector.slice_mm, p.reconstruction.mtf50_per_mm, p.protocol.iodine,
         p.reconstruction.hu_offset]
        for p in profiles
    ])  # fmt: skip
    correlation = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert np.abs(correlation).max() < 0.2


def test_a_profile_is_its_own():
    profile = load_profile("ge_like")
    assert draw_profile(profile, np.random.default_rng(0)) is profile


def test_every_phase_and_voltage_occurs():
    profiles = [drawn(i) for i in range(100)]
    assert {p.protocol.contrast for p in profiles} == {"native", "arterial", "portal_venous"}
    assert {p.tube.kvp for p in profiles} == set(SCANNER.tube["kvp"].values)
    assert np.mean([p.protocol.contrast == "portal_venous" for p in profiles]) == pytest.approx(
        0.5, abs=0.15
    )
