"""Random networks change the contrast of a body, not its mean, its norm, or where things are."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from cl_seg.training.style.gin import draw_networks, gin

from .conftest import bodies, per_image


def networks_of(count, seed=0, layers=4, channels=2):
    return draw_networks(count, layers, channels, torch.Generator().manual_seed(seed))


def norm(images, body):
    """Frobenius norm in the body of the images less their mean there."""
    return torch.stack([(x[m] - x[m].mean()).norm() for x, m in zip(images, body, strict=True)])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_mean_and_norm_in_the_body_are_kept(seed, blend):
    images = bodies().double()
    body = images > 0
    networks = [(w.double(), s.double()) for w, s in networks_of(3, seed)]
    made = gin(images, body, networks, per_image(blend, blend, blend))
    torch.testing.assert_close(norm(made, body), norm(images, body))
    for x, y, m in zip(images, made, body, strict=True):
        torch.testing.assert_close(y[m].mean(), x[m].mean())


def test_blend_of_nothing_is_the_image():
    images = bodies()
    same = gin(images, images > 0, networks_of(3), per_image(0, 0, 0))
    torch.testing.assert_close(same, images, atol=1e-6, rtol=0)


def test_every_image_has_a_network_and_a_blend_of_its_own():
    images = bodies(1).expand(3, -1, -1, -1)
    networks = networks_of(3)
    together = gin(images, images > 0, networks, per_image(0.3, 1, 1))
    for k, blend in enumerate((0.3, 1, 1)):
        own = [(weights[k : k + 1], shifts[k : k + 1]) for weights, shifts in networks]
        alone = gin(images[:1], images[:1] > 0, own, per_image(blend))
        torch.testing.assert_close(together[k : k + 1], alone, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(together[1], together[2], atol=0.01)


def test_the_network_written_out():
    """Convolution by convolution, LeakyReLU between them, and the equation."""
    image = bodies(1)
    body = image > 0
    (w1, s1), (w2, s2), (w3, s3) = networks = networks_of(1, seed=3, layers=3, channels=4)
    z = (image - image[body].mean()) / image[body].std(correction=0)
    g = functional.leaky_relu(functional.conv2d(z, w1[0], s1[0], padding=1), 0.01)
    g = functional.leaky_relu(functional.conv2d(g, w2[0], s2[0], padding=1), 0.01)
    g = functional.conv2d(g, w3[0], s3[0], padding=1)
    y = 0.6 * (g - g[body].mean()) / g[body].std(correction=0) + 0.4 * z
    y = (y - y[body].mean()) / y[body].std(correction=0)
    expected = image[body].mean() + image[body].std(correction=0) * y
    torch.testing.assert_close(
        gin(image, body, networks, per_image(0.6)), expected, atol=1e-4, rtol=1e-4
    )


def test_kernels_are_points_and_squares():
    weights, _ = networks_of(400, layers=1)[0]
    around = weights.flatten(1)[:, [0, 1, 2, 3, 5, 6, 7, 8]]
    points = (around == 0).all(1)
    assert ((around != 0).all(1) | points).all()
    assert 150 < int(points.sum()) < 250
    assert float(weights[:, 0, 0, 1, 1].std()) == pytest.approx(1, abs=0.1)


def test_its_distribution_is_the_same_under_inversion_of_contrast():
    """The last weights of the other sign, as likely, invert the image about its mean."""
    images = bodies()
    body, networks = images > 0, networks_of(3, seed=1)
    (weights, shifts), once = networks[-1], per_image(1, 1, 1)
    inverted = [*networks[:-1], (-weights, -shifts)]
    mean = torch.stack([x[m].mean() for x, m in zip(images, body, strict=True)]).view(3, 1, 1, 1)
    sums = gin(images, body, networks, once) + gin(images, body, inverted, once)
    torch.testing.assert_close(sums, (2 * mean).expand_as(sums), atol=1e-4, rtol=0)


def test_brighter_stays_brighter_half_of_the_time():
    """The rank correlation with the original has either sign, as often as a fair coin has."""
    count = 600
    images = bodies(1).expand(count, -1, -1, -1)
    body = images > 0
    made = gin(images, body, networks_of(count, seed=2), torch.ones(count, 1, 1, 1))
    ranks = made[body].view(count, -1).argsort().argsort().double()
    original = images[0][body[0]].argsort().argsort().double()
    correlation = torch.corrcoef(torch.cat([original[None], ranks]))[0, 1:]
    assert abs(int((correlation > 0).sum()) - count / 2) < 4 * math.sqrt(count) / 2
    assert (correlation.abs() > 0.8).any() and (correlation.abs() < 0.2).any()


def test_structures_stay_where_they_are():
    """An edited pixel acts on those within one pixel per layer; far away all is in proportion."""
    image = torch.rand((1, 1, 33, 33), generator=torch.Generator().manual_seed(0))
    edited = image.clone()
    edited[0, 0, 16, 16] += 0.5
    everywhere, networks = torch.ones_like(image, dtype=torch.bool), networks_of(1, seed=4)
    before, after = (gin(x, everywhere, networks, per_image(1)) for x in (image, edited))
    far = torch.ones(33, 33, dtype=torch.bool)
    far[16 - 4 : 16 + 5, 16 - 4 : 16 + 5] = False
    away = torch.corrcoef(torch.stack([before[0, 0][far], after[0, 0][far]]))[0, 1]
    assert away > 0.999


def test_a_body_without_contrast_stays_one():
    image = bodies(1)
    body = image > 0
    flat = torch.where(body, 0.5, 0.0)
    made = gin(flat, body, networks_of(1), per_image(1))
    torch.testing.assert_close(made[body], flat[body], atol=1e-5, rtol=0)
    assert torch.isfinite(gin(flat, torch.zeros_like(body), networks_of(1), per_image(1))).all()
