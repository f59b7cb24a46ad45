"""The partner's amplitudes, the image's own phases."""

import pytest
import torch
from torch.fft import fft2

from cl_seg.training.style.amplitude_mix import amplitude_mix

from .conftest import bodies, per_image


def pair(height=24, width=25):
    images = bodies(3, height, width).double()
    return images, images.flip(0)


def test_ratio_of_nothing_is_the_image_bit_for_bit():
    images, partners = pair()
    assert torch.equal(amplitude_mix(images, partners, per_image(0, 0, 0).double(), 1.0), images)


@pytest.mark.parametrize("width", [24, 25])
def test_the_whole_amplitude_of_the_partner_and_the_own_phase(width):
    images, partners = pair(width=width)
    mixed = fft2(amplitude_mix(images, partners, per_image(1, 1, 1).double(), 1.0))
    torch.testing.assert_close(mixed.abs(), fft2(partners).abs())
    own = fft2(images)
    certain = (own.abs() > 1e-6) & (mixed.abs() > 1e-6)
    torch.testing.assert_close(mixed.sgn()[certain], own.sgn()[certain])
    assert certain.double().mean() > 0.99


def test_amplitudes_are_mixed_in_the_ratio_of_each_image():
    images, partners = pair()
    ratio = per_image(0.2, 0.5, 0.9).double()
    mixed = fft2(amplitude_mix(images, partners, ratio, 1.0)).abs()
    expected = (1 - ratio) * fft2(images).abs() + ratio * fft2(partners).abs()
    torch.testing.assert_close(mixed, expected)


@pytest.mark.parametrize("size", [24, 25])
def test_only_the_band_is_mixed(size):
    images, partners = pair(size, size)
    mixed = fft2(amplitude_mix(images, partners, per_image(1, 1, 1).double(), 0.25))
    steps = torch.fft.fftfreq(size, 1 / size).abs()  # whole periods along an axis
    low = torch.maximum(steps[:, None], steps) <= 3  # a quarter of the 12 of the highest
    torch.testing.assert_close(mixed[..., ~low], fft2(images)[..., ~low])
    torch.testing.assert_close(mixed[..., low].abs(), fft2(partners)[..., low].abs())


def test_an_image_mixed_with_itself_stays():
    images, _ = pair()
    assert torch.equal(amplitude_mix(images, images, per_image(1, 1, 1).double(), 1.0), images)
