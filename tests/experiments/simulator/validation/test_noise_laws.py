from functools import lru_cache, partial

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cl_seg.phantom.profiles import load_profile, profile_names
from experiments.simulator.validation import noise_laws
from experiments.simulator.validation.measure import noise_sd
from experiments.simulator.validation.phantoms import REFERENCE, image, laboratory

from .test_hu_laws import failures


@pytest.fixture
def broken(monkeypatch):
    """Replaces the scan behind every noise law, with fewer repeats and a memory of its own."""

    def use(scan):
        measured = partial(noise_laws.noise.__wrapped__, repeats=3)
        monkeypatch.setattr(noise_laws, "noise", lru_cache(measured))
        monkeypatch.setattr(noise_laws, "image", scan)

    return use


def other(profile, section, **changes):
    changed = getattr(profile, section).model_copy(update=changes)
    return profile.model_copy(update={section: changed})


def test_noise_falls_with_the_root_of_the_dose():
    assert not failures(noise_laws.dose((45.0, 180.0)))


def test_noise_falls_with_the_root_of_the_slice():
    assert not failures(noise_laws.slice_thickness((1.0, 5.0)))


def test_noise_and_its_power_are_those_of_theory():
    assert not failures(noise_laws.level([REFERENCE]))
    assert not failures(noise_laws.spectrum([REFERENCE]))


def test_every_setting_has_noise_of_its_own_that_does_not_change():
    profile = laboratory(load_profile(REFERENCE))
    one, same, other_dose = (
        noise_laws.noise.__wrapped__(p, repeats=2)
        for p in (profile, profile, laboratory(profile, mas=90))
    )
    np.testing.assert_array_equal(one, same)
    assert abs(np.corrcoef(one.ravel(), other_dose.ravel())[0, 1]) < 0.05


def test_the_standard_error_of_noise_is_below_one_percent():
    sd, error = noise_sd(noise_laws.noise(laboratory(load_profile(REFERENCE))))
    assert error / sd < 0.01


def test_a_wrong_exponent_of_the_dose_fails(broken):
    def scan(maps, profile, field, seed):
        return image(maps, other(profile, "tube", mas=profile.tube.mas**0.9), field, seed)

    broken(scan)
    checks = noise_laws.dose((45.0, 180.0))
    assert len(failures(checks)) == len(checks) == 2


def test_a_slice_that_collects_no_photons_fails(broken):
    def scan(maps, profile, field, seed):
        return image(maps, other(profile, "detector", slice_mm=2.0), field, seed)

    broken(scan)
    assert failures(noise_laws.slice_thickness((1.0, 5.0)))


def test_a_forgotten_variance_fails(broken):
    def scan(maps, profile, field, seed):
        return image(maps, other(profile, "detector", swank=0.0), field, seed)

    broken(scan)
    assert failures(noise_laws.level([REFERENCE]))


def test_further_blur_fails_in_level_and_shape(broken):
    def scan(maps, profile, field, seed):
        return gaussian_filter(image(maps, profile, field, seed), 0.4 / field.pixel_mm)

    broken(scan)
    assert failures(noise_laws.level([REFERENCE]))
    (shape,) = (c for c in noise_laws.spectrum([REFERENCE]) if "correlation" in c.case)
    assert shape.passed is False


def test_white_noise_fails_at_frequency_zero(broken):
    def scan(maps, profile, field, seed):
        shape = (field.image_size, field.image_size)
        return np.random.default_rng(seed).normal(0, 10, shape).astype(np.float32)

    broken(scan)
    assert len(failures(noise_laws.spectrum([REFERENCE]))) == 3


@pytest.mark.slow
def test_every_scanner_and_setting():
    names = profile_names()
    checks = noise_laws.dose() + noise_laws.slice_thickness()
    checks += noise_laws.level(names) + noise_laws.spectrum(names)
    assert not failures(checks)
