"""Images and masks move alike, and only as far as asked."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_seg.spec.style import StyleAugmentation
from cl_seg.training.augmentation import Augmentation, AugmentationConfig
from cl_seg.training.style.style import Style

STILL = {"rotate_degrees": 0.0, "scale": 0.0, "flip": False, "shift": 0.0}
STYLE = Style(StyleAugmentation(gin={"probability": 1}), window_width_hu=400.0)
FULL = {"rotate_degrees": 30.0, "scale": 0.2, "flip": True, "shift": 0.0}


def augmentation(seed=0, **ranges):
    return Augmentation(
        AugmentationConfig(**{**STILL, **ranges}), torch.Generator().manual_seed(seed)
    )


def moved_by(draw, pictures, masks):
    transform = draw(pictures)
    return transform.images(pictures), transform.masks(masks)


def extreme(monkeypatch, draw, **ranges):
    """An augmentation whose draws are ``draw`` in −1…1 for every image."""
    monkeypatch.setattr(
        "cl_seg.training.augmentation.torch.rand",
        lambda *shape, generator: torch.full(shape, (draw + 1) / 2),
    )
    return augmentation(**ranges)


def scene(batch=2, size=32):
    """Smooth images and masks of three labels, 255 among them, away from the image edge."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    mask = torch.zeros(size, size, dtype=torch.int64)
    mask[(x - 12) ** 2 + (y - 14) ** 2 < 30] = 1
    mask[(x - 21) ** 2 + (y - 18) ** 2 < 16] = 255
    mask[8:11, 18:24] = 2
    masks = mask.expand(batch, size, size).clone()
    return masks.unsqueeze(1).float(), masks


def test_identity():
    pictures, masks = torch.rand(3, 1, 31, 32), torch.randint(0, 3, (3, 31, 32))
    moved, labels = moved_by(augmentation(), pictures, masks)
    torch.testing.assert_close(moved, pictures, atol=1e-4, rtol=0)
    assert torch.equal(labels, masks) and labels.dtype == torch.int64


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000))
def test_masks_keep_their_labels(seed):
    pictures, masks = scene()
    _, labels = moved_by(augmentation(seed, **FULL), pictures, masks)
    assert set(labels.unique().tolist()) <= {0, 1, 2, 255}
    assert (labels == 255).any() and (labels == 1).any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([1, 2, 255]))
def test_a_mask_drawn_as_image_follows(seed, label):
    _, masks = scene()
    drawn = (masks == label).unsqueeze(1).float()
    moved, labels = moved_by(augmentation(seed, **FULL), drawn, masks)
    inside, outside = moved[:, 0] > 0.75, moved[:, 0] < 0.25
    assert (labels[inside] == label).all()
    assert (labels[outside] != label).all()
    assert inside.any()


@pytest.mark.parametrize("draw", [1, -1])
def test_quarter_turn(monkeypatch, draw):
    pictures, masks = scene()
    moved, labels = moved_by(extreme(monkeypatch, draw, rotate_degrees=90.0), pictures, masks)
    expected = torch.rot90(masks, draw, (1, 2))  # counterclockwise on screen for a positive draw
    assert torch.equal(labels, expected)
    torch.testing.assert_close(moved[:, 0], expected.float(), atol=0.05, rtol=0)


def test_flip_is_left_right(monkeypatch):
    pictures, masks = scene()
    moved, labels = moved_by(extreme(monkeypatch, -0.5, flip=True), pictures, masks)
    assert torch.equal(labels, masks.flip(2))
    torch.testing.assert_close(moved, pictures.flip(3), atol=0.05, rtol=0)


def test_half_of_the_images_are_flipped():
    _, masks = scene(400, 8)
    masks[:] = 0
    masks[:, :, :2] = 1
    _, labels = moved_by(augmentation(flip=True), masks.unsqueeze(1).float(), masks)
    flipped = labels[:, 0, -1] == 1
    assert 150 < int(flipped.sum()) < 250
    assert (labels[~flipped][:, 0, 0] == 1).all()


@pytest.mark.parametrize("draw", [1, -1])
def test_scale_magnifies(monkeypatch, draw):
    pictures, masks = scene(1, 32)
    _, labels = moved_by(extreme(monkeypatch, draw, scale=0.25), pictures, masks)
    grown = (labels == 1).sum() / (masks == 1).sum()
    assert float(grown) == pytest.approx((1 + 0.25 * draw) ** 2, rel=0.12)


def test_turns_about_the_centre_of_the_image(monkeypatch):
    mask = torch.zeros(1, 32, 32, dtype=torch.int64)
    mask[:, 14:18, 14:18] = 1
    turned = extreme(monkeypatch, 1, rotate_degrees=45.0, scale=0.2)
    _, labels = moved_by(turned, mask[:, None].float(), mask)
    where = torch.nonzero(labels[0]).float()
    assert where.mean(0).tolist() == pytest.approx([15.5, 15.5])


def test_shift_brightens_images_only(monkeypatch):
    pictures, masks = scene()
    moved, labels = moved_by(extreme(monkeypatch, 1, shift=0.1), pictures, masks)
    torch.testing.assert_close(moved, pictures + 0.1, atol=0.05, rtol=0)
    assert torch.equal(labels, masks)


def test_outside_is_air_and_background(monkeypatch):
    pictures, masks = torch.ones(1, 1, 32, 32), torch.ones(1, 32, 32, dtype=torch.int64)
    moved, labels = moved_by(extreme(monkeypatch, -1, scale=0.5), pictures, masks)
    assert moved[0, 0, 0, 0] == 0 and labels[0, 0, 0] == 0
    assert moved[0, 0, 16, 16] == 1 and labels[0, 16, 16] == 1


def test_draws_come_from_its_generator_alone():
    pictures, masks = scene(4)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first, _ = moved_by(augmentation(5, **FULL), pictures, masks)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, moved_by(augmentation(5, **FULL), pictures, masks)[0])
    assert not torch.equal(first, moved_by(augmentation(6, **FULL), pictures, masks)[0])
    assert not torch.equal(first[0], first[1]), "one draw per image"


def test_inputs_are_left_alone():
    pictures, masks = scene()
    copies = pictures.clone(), masks.clone()
    moved_by(augmentation(1, **{**FULL, "shift": 0.3}), pictures, masks)
    assert torch.equal(pictures, copies[0]) and torch.equal(masks, copies[1])


def test_rotations_cover_their_range():
    """A dot right of the centre lands within ± the range, on both sides."""
    masks = torch.zeros(200, 33, 33, dtype=torch.int64)
    masks[:, 15:18, 27:30] = 1
    _, labels = moved_by(augmentation(2, rotate_degrees=20.0), masks[:, None].float(), masks)
    angles = []
    for mask in labels:
        y, x = torch.nonzero(mask).float().mean(0) - 16
        angles.append(math.degrees(math.atan2(y, x)))
    assert -23 < min(angles) < -15 and 15 < max(angles) < 23


def test_style_changes_images_alone_after_they_have_moved():
    pictures, masks = scene()
    plain = augmentation(4, **FULL)(pictures)
    styled = augmentation(4, **FULL, style=STYLE)(pictures)
    assert torch.equal(styled.grid, plain.grid)
    assert torch.equal(styled.masks(masks), plain.masks(masks))
    logits = torch.rand(2, 3, 32, 32)
    assert torch.equal(styled.maps(logits), plain.maps(logits))
    seen, moved = styled.images(pictures), plain.images(pictures)
    assert not torch.allclose(seen, moved, atol=0.05)
    assert torch.equal(seen[moved == 0], moved[moved == 0])
    assert torch.equal(seen, styled.images(pictures)), "drawn once per batch"


def test_styles_differ_from_batch_to_batch_and_come_from_its_generator():
    pictures, _ = scene()
    draw, again = (augmentation(4, style=STYLE) for _ in range(2))
    batches = [draw(pictures).images(pictures) for _ in range(2)]
    assert not torch.allclose(*batches, atol=0.05)
    assert all(torch.equal(b, again(pictures).images(pictures)) for b in batches)


def test_without_a_style_nothing_more_is_drawn():
    pictures, _ = scene()
    draw = augmentation(4, **FULL)
    draw(pictures)
    expected = torch.Generator().manual_seed(4)
    torch.rand(4, len(pictures), generator=expected)
    assert torch.equal(draw.generator.get_state(), expected.get_state())
