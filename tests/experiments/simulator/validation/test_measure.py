import numpy as np
import pytest
from scipy import ndimage

from experiments.simulator.validation.measure import (
    disk_mean,
    distances,
    edge_spread,
    falls_to,
    global_noise,
    muscle_mean,
    noise_only,
    noise_power,
    noise_sd,
    non_uniformity,
    peak,
    radial_mean,
    region_weight,
    transfer,
)

PIXEL = 0.5  # mm


def white(sd, scans=6, size=256):
    return sd * np.random.default_rng(3).standard_normal((scans, size, size))


def blurred(noise, sigma_mm):
    """Noise under a Gaussian whose transfer is known exactly, with periodic borders."""
    f = np.fft.fftfreq(noise.shape[-1], PIXEL)
    gain = np.exp(-2 * (np.pi * sigma_mm * np.hypot.outer(f, f)) ** 2)
    return np.fft.ifft2(np.fft.fft2(noise) * gain).real


def test_means_of_disks_and_rings_of_a_slope():
    axis = (np.arange(200) - 99.5) * PIXEL
    slope = np.broadcast_to(axis, (200, 200))  # the value is x in mm
    assert disk_mean(slope, PIXEL, 20, -10, 8) == pytest.approx(20, abs=0.05)
    at, values = radial_mean(distances(200, PIXEL), distances(200, PIXEL), np.arange(5, 40, 5.0))
    np.testing.assert_allclose(at, values)
    inner, outer = np.arange(5, 35, 5.0), np.arange(10, 40, 5.0)
    expected = 2 / 3 * (outer**3 - inner**3) / (outer**2 - inner**2)
    np.testing.assert_allclose(at, expected, atol=0.1)


def test_rings_without_pixels_are_an_error():
    with pytest.raises(ValueError, match="too close"):
        radial_mean(np.ones((4, 4)), distances(4, 1.0), np.array([0.1, 0.2, 0.3]))


def test_non_uniformity_is_the_largest_step_from_the_middle():
    cupped = 0.001 * distances(400, PIXEL) ** 2
    # The mean of r² over a disk of radius a, d off the middle, is d² + a² / 2.
    assert non_uniformity(cupped, PIXEL, 70, 10) == pytest.approx(0.001 * 70**2, rel=1e-3)
    tilted = np.broadcast_to(0.01 * (np.arange(400) - 199.5) * PIXEL, (400, 400))
    assert non_uniformity(tilted, PIXEL, 70, 10) == pytest.approx(0.7, rel=1e-3)


def test_noise_of_repeated_scans_is_free_of_the_object_and_unbiased():
    repeats = white(7.0, scans=3) + 100 * distances(256, PIXEL)
    sd, error = noise_sd(noise_only(repeats))
    assert abs(sd - 7) < 3 * error
    # The standard error of white noise is known: sd / √(2 n) with two free scans of three.
    assert error == pytest.approx(7 / np.sqrt(2 * 2 * 256**2), rel=0.4)


def test_correlated_noise_has_a_larger_standard_error():
    smooth = blurred(white(1.0), 1.5)
    sd, error = noise_sd(smooth)
    assert error / sd > 3 / np.sqrt(2 * smooth.size)


def test_noise_power_of_white_noise_is_flat():
    f, power = noise_power(white(5.0), PIXEL, 64)
    # The first ring holds four frequencies at 1 and four at √2 steps.
    assert (f[0], f[1]) == (0, pytest.approx((1 + np.sqrt(2)) / 2 / (64 * PIXEL)))
    np.testing.assert_allclose(power[3:], 25 * PIXEL**2, rtol=0.1)
    assert power.mean() == pytest.approx(25 * PIXEL**2, rel=0.02)


def test_noise_power_of_filtered_noise_is_the_square_of_its_filter():
    f, power = noise_power(blurred(white(5.0), 0.6), PIXEL, 64)
    expected = 25 * PIXEL**2 * np.exp(-4 * (np.pi * 0.6 * f) ** 2)
    np.testing.assert_allclose(power[2:20], expected[2:20], rtol=0.15)
    assert np.corrcoef(power, expected)[0, 1] > 0.995


def test_region_weight_is_the_share_of_a_row_in_noise_power():
    lit = np.zeros((1, 256, 256))
    lit[0, 40] = white(1.0, 1)[0, 40]
    lit[0, 130] = 0
    dim = np.roll(lit, 88, axis=1)  # row 128, in the middle of a region
    ratio = noise_power(dim, PIXEL, 64)[1].sum() / noise_power(lit, PIXEL, 64)[1].sum()
    weight = region_weight(256, 64)
    assert ratio == pytest.approx(weight[128] / weight[40], rel=0.01)


def test_peak_of_a_parabola():
    x = np.linspace(0, 4, 41)
    assert peak(x, 9 - (x - 1.234) ** 2) == pytest.approx((1.234, 9))


@pytest.mark.parametrize("sigma", [0.4, 0.7])
def test_mtf_of_a_gaussian_edge_is_a_gaussian(sigma):
    pixel, radius, size = 0.2, 30.0, 512
    distance = distances(size, pixel, 1.3, -2.1)
    disk = np.clip(0.5 - (distance - radius) / pixel, 0, 1)  # its edge is one pixel wide
    hu = 50 * ndimage.gaussian_filter(disk, sigma / pixel)
    at, spread = edge_spread(hu, distance, radius, 15, 0.1)
    assert at[0] == pytest.approx(-14.95)
    f, mtf = transfer(spread, 0.1)
    expected = np.exp(-2 * (np.pi * sigma * f) ** 2) * np.sinc(f * pixel)
    visible = f < 0.45 / sigma
    np.testing.assert_allclose(mtf[visible], expected[visible], atol=0.003)
    half = np.sqrt(np.log(2) / 2) / (np.pi * sigma)
    assert falls_to(f, mtf / np.sinc(f * pixel), 0.5) == pytest.approx(half, rel=0.01)


def test_an_mtf_falls_to_a_level_between_its_samples():
    f = np.array([0.0, 0.1, 0.2, 0.3])
    assert falls_to(f, np.array([1, 0.9, 0.4, 0.5]), 0.5) == pytest.approx(0.18)


def test_muscle_is_the_mean_of_its_range():
    assert muscle_mean(np.array([-30.0, -29, 41, 150, 151])) == pytest.approx((41 + 150 - 29) / 3)


@pytest.mark.parametrize("sd", [8.0, 40.0])
def test_global_noise_ignores_edges_fat_and_air(sd):
    body = np.full((256, 256), 60.0)
    body[:, :60], body[:40] = -100, -1000
    body[80:250:30] += 90  # thin vessels
    noisy = body + sd * np.random.default_rng(0).standard_normal(body.shape)
    assert global_noise(noisy, 0.5) == pytest.approx(sd, rel=0.08)
