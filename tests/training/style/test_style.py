"""Styles of a batch: how often, of which images, within the window, and nothing else."""

import pytest
import torch

from cl_seg.spec.style import StyleAugmentation
from cl_seg.training.style.style import Style

from .conftest import bodies

METHODS = list(StyleAugmentation.model_fields)
WIDTH_HU = 400.0


def style(probability=1.0, methods=tuple(METHODS), **more):
    settings = {name: {"probability": probability, **more} for name in methods}
    return Style(StyleAugmentation(**settings), WIDTH_HU)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_changes_bodies_within_the_window_and_leaves_air(method):
    images = bodies(6, 32, 32)
    copy = images.clone()
    seen = style(methods=[method])(images, seed=1)
    assert torch.equal(images, copy), "the images themselves are left alone"
    assert seen.shape == images.shape and seen.dtype == images.dtype
    assert not torch.allclose(seen, images, atol=0.02)
    assert torch.equal(seen[images == 0], images[images == 0])
    assert seen.min() >= 0 and seen.max() <= 1


def test_a_probability_of_nothing_is_the_identity_bit_for_bit():
    images = bodies()
    assert torch.equal(style(0.0)(images, seed=1), images)


@pytest.mark.parametrize("method", METHODS)
def test_others_than_the_drawn_images_keep_every_bit(method):
    images = bodies(200, 16, 16) + 0.7  # above the window, as after a shift
    seen = style(0.3, methods=[method])(images, seed=4)
    kept = torch.tensor([torch.equal(x, y) for x, y in zip(seen, images, strict=True)])
    assert 115 < int(kept.sum()) < 165
    assert seen[~kept].amax() <= 1 < seen[kept].amax()


def test_air_is_the_darkest_whatever_the_shift():
    images = bodies(6, 32, 32)
    for shift in (0.1, -0.1):
        seen = style()(images + shift, seed=1)
        assert torch.equal(seen[images == 0], (images + shift)[images == 0])


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_style_and_no_other_draws(method):
    images, changed = bodies(), style(methods=[method])
    state = torch.get_rng_state()
    first = changed(images, seed=5)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, changed(images, seed=5))
    assert not torch.equal(first, changed(images, seed=6))


def test_methods_follow_each_other():
    images = bodies(2, 32, 32)
    every = style()(images, seed=3)
    assert not any(torch.equal(every, style(methods=[m])(images, seed=3)) for m in METHODS)


def test_a_batch_of_one_has_no_partner_and_stays():
    image = bodies(1)
    assert torch.equal(style(methods=["amplitude_mix"])(image, seed=0), image)


def test_strength_is_bounded_by_the_settings():
    """Noise of at most 20 HU of the 400 of the window, by a kernel as before."""
    images = torch.full((200, 1, 32, 32), 0.5)
    images[:, :, 0, 0] = 0
    quiet = Style(
        StyleAugmentation(kernel_noise={"probability": 1, "sharpness": 0, "noise_hu": 20}), 400.0
    )
    noise = (quiet(images, seed=2) - images)[:, 0, 1:].std((1, 2))
    assert float(noise.max()) == pytest.approx(0.05, rel=0.1)
    assert float(noise.mean()) == pytest.approx(0.025, rel=0.2)


def test_images_without_a_body_stay():
    images = torch.zeros(2, 1, 16, 16)
    assert torch.equal(style()(images, seed=0), images)
