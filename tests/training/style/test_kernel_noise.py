"""The frequency response and the noise power spectrum are the stated ones."""

import math

import pytest
import torch
from torch.fft import fft2, fftfreq

from cl_seg.training.style.kernel_noise import kernel_noise

from .conftest import bodies, per_image


def frequency(height, width):
    """Cycles per pixel."""
    return torch.hypot(fftfreq(height)[:, None], fftfreq(width)).double()


def response(gain, height, width):
    return torch.exp(gain * (frequency(height, width) / 0.5).clamp(max=1) ** 2)


def test_no_gain_and_no_noise_is_the_image_bit_for_bit():
    images = bodies()
    nothing = per_image(0, 0, 0)
    assert torch.equal(kernel_noise(images, nothing, nothing, torch.randn_like(images)), images)


@pytest.mark.parametrize("width", [24, 25])
@pytest.mark.parametrize("gain", [-2.0, 1.0])
def test_frequencies_are_multiplied_by_the_response(gain, width):
    images = bodies(1, 24, width).double()
    seen = kernel_noise(images, per_image(gain), per_image(0), torch.randn_like(images))
    torch.testing.assert_close(fft2(seen), fft2(images) * response(gain, 24, width))


def test_means_stay_and_details_do_not():
    images = bodies().double()
    seen = kernel_noise(images, per_image(-1, 0, 1), per_image(0, 0, 0), torch.randn_like(images))
    torch.testing.assert_close(seen.mean((2, 3)), images.mean((2, 3)))
    rough, before = (x.diff(dim=3).square().sum((1, 2, 3)) for x in (seen, images))
    assert rough[0] < before[0] and rough[2] > before[2]
    torch.testing.assert_close(rough[1], before[1])


@pytest.mark.parametrize("gain", [-1.0, 0.0, 1.0])
def test_noise_power_spectrum(gain):
    """Averaged over many images: f · H(f)², with the variance that was asked for."""
    count, size, deviation = 3000, 16, 0.07
    nothing = torch.zeros(count, 1, size, size)
    white = torch.randn(nothing.shape, generator=torch.Generator().manual_seed(0))
    one = torch.ones(count, 1, 1, 1)
    noise = kernel_noise(nothing, gain * one, deviation * one, white)
    assert float(noise.square().mean()) == pytest.approx(deviation**2, rel=0.01)
    spectrum = fft2(noise.double()).abs().square().mean(0)[0] / size**2
    expected = frequency(size, size) * response(gain, size, size) ** 2
    expected *= deviation**2 / expected.mean()
    assert float(spectrum[0, 0]) == pytest.approx(0, abs=1e-9), "the mean of an image stays"
    inside = expected > 0
    # A mean of 3000 exponential variables is off by 1 / sqrt(3000) of itself.
    off = (spectrum[inside] / expected[inside] - 1).abs()
    assert float(off.max()) < 5.5 * math.sqrt(2 / count)


def test_noise_is_as_strong_as_asked_of_each_image():
    images = torch.zeros(3, 1, 64, 64)
    white = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    noise = kernel_noise(images, per_image(0, -1, 1), per_image(0.01, 0.02, 0.05), white)
    assert noise.std((1, 2, 3)).tolist() == pytest.approx([0.01, 0.02, 0.05], rel=0.05)
