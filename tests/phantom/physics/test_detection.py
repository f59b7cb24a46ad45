import numpy as np
import pytest

from cl_seg.phantom.physics import detection
from cl_seg.phantom.physics.detection import (
    Signal,
    detect,
    expected_signal,
    residual_scatter,
    tube_current,
)
from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.physics.spectrum import polychromatic_beam
from cl_seg.phantom.profiles import load_profile
from experiments.simulator.validation.phantoms import REFERENCE

GEOMETRY = Geometry(60, 128, 4.0)
PROFILE = load_profile(REFERENCE)


def behind_water(thickness):
    lines = np.zeros((3, 60, 128), np.float32)
    lines[0] = thickness
    return expected_signal(lines, polychromatic_beam(PROFILE, GEOMETRY))


def test_nothing_in_the_beam_gives_the_open_field():
    signal = behind_water(0)
    np.testing.assert_allclose(signal.mean, np.tile(signal.open_field, (60, 1)), rtol=1e-5)


def test_noise_has_the_variance_of_compound_poisson_and_electronics():
    signal = behind_water(200)
    current = np.ones(60, np.float32)
    readings = detect(signal, current, 0.0, PROFILE.detector, np.random.default_rng(1))
    detector = PROFILE.detector
    expected = signal.variance * (1 + detector.swank) + detector.electronic_noise_kev**2
    z = (readings - signal.mean) / np.sqrt(expected)
    assert z.mean() == pytest.approx(0, abs=0.05)
    assert z.var() == pytest.approx(1, abs=0.06)


def test_without_a_stream_there_is_no_noise():
    signal = behind_water(200)
    readings = detect(signal, np.full(60, 2, np.float32), 0.0, PROFILE.detector, None)
    np.testing.assert_allclose(readings, signal.mean, rtol=1e-6)


def test_tube_current_follows_the_thickest_path():
    thickness = np.full((60, 128), 200, np.float32)
    thickness[20:40] = 350
    signal = behind_water(thickness)
    current = tube_current(signal, 0.6)
    assert current.mean() == pytest.approx(1, rel=1e-5)
    assert current[30] > 1.5 * current[59]
    assert (tube_current(signal, 0) == 1).all()


def uncorrected(monkeypatch):
    monkeypatch.setattr(detection, "CORRECTED_SHARE", 0.0)


def test_scatter_before_correction_grows_with_its_fraction_and_vanishes_in_air(monkeypatch):
    uncorrected(monkeypatch)
    signal = behind_water(200)
    one, two = (residual_scatter(signal, f, GEOMETRY) for f in (0.01, 0.02))
    np.testing.assert_allclose(two, 2 * one, rtol=1e-5)
    relative = one.mean() / signal.mean.mean()
    # Uniform potential: the blur changes nothing, S·p/2 of the mean.
    attenuation = np.log(signal.open_field / signal.mean)
    assert relative == pytest.approx(
        0.01 * (signal.mean * attenuation).mean() / 2 / signal.mean.mean(), rel=1e-3
    )
    assert np.abs(residual_scatter(behind_water(0), 0.01, GEOMETRY)).max() < 1e-3 * one.mean()


def test_residual_scatter_is_the_potential_blurred_by_both_kernels():
    chord = 2 * np.sqrt(np.maximum(150**2 - (GEOMETRY.positions - 30) ** 2, 0))
    thickness = np.outer(1 + 0.3 * np.cos(np.linspace(0, 2 * np.pi, 60)), chord)
    signal = behind_water(thickness.astype(np.float32))
    potential = np.maximum(signal.mean * np.log(signal.open_field / signal.mean), 0) / 2
    views, channels = np.fft.fftfreq(60), np.fft.fftfreq(128, GEOMETRY.pitch_mm)
    scatter, taken_off = (
        np.exp(-2 * (np.pi * width * channels) ** 2)
        for width in (detection.SCATTER_WIDTH_MM, detection.CORRECTED_WIDTH_MM)
    )
    around = np.exp(-2 * (np.pi * detection.SMOOTH_VIEWS * views) ** 2)
    blur = np.outer(around, scatter - detection.CORRECTED_SHARE * taken_off)
    exact = 0.01 * np.fft.ifft2(np.fft.fft2(potential) * blur).real
    found = residual_scatter(signal, 0.01, GEOMETRY)
    np.testing.assert_allclose(found, exact, atol=1e-5 * np.abs(exact).max())


def test_the_correction_takes_off_what_does_not_vary_and_leaves_the_middle_dark(monkeypatch):
    flat = behind_water(200)
    chord = 2 * np.sqrt(np.maximum(150**2 - GEOMETRY.positions**2, 0))
    disk = behind_water(np.tile(chord, (60, 1)).astype(np.float32))
    left = [residual_scatter(signal, 0.01, GEOMETRY) for signal in (flat, disk)]
    uncorrected(monkeypatch)
    all_of_it = [residual_scatter(signal, 0.01, GEOMETRY) for signal in (flat, disk)]
    assert np.abs(left[0]).max() < 0.05 * all_of_it[0].mean()
    middle = GEOMETRY.channels // 2
    assert 0 < left[1][0, middle] < 0.3 * all_of_it[1][0, middle]
    assert left[1].min() < 0  # too much is taken off where the scatter comes from


def test_starved_readings_stay_positive():
    signal = Signal(*(np.full((60, 128), v, np.float32) for v in (1.0, 1.0)), np.ones(128))
    readings = detect(
        signal, np.ones(60, np.float32), 0.0, PROFILE.detector, np.random.default_rng(0)
    )
    assert readings.min() == pytest.approx(PROFILE.detector.electronic_noise_kev / 2)
