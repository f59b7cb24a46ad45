"""Dice plus cross-entropy against closed forms, torch and MONAI, and ignored pixels."""

import math

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.losses import DiceCELoss
from torch.nn import functional

from cl_seg.losses import IGNORED, coarser_loss, dice_cross_entropy


def value(loss):
    return float(loss.detach())


def drawn(seed, shape=(3, 4, 6, 5), ignored=0.0):
    generator = torch.Generator().manual_seed(seed)
    batch, classes, height, width = shape
    logits = 2 * torch.randn(shape, generator=generator)
    target = torch.randint(classes, (batch, height, width), generator=generator)
    target[torch.rand(target.shape, generator=generator) < ignored] = IGNORED
    return logits.requires_grad_(), target


def test_two_pixels_by_hand():
    logits, target = torch.zeros(1, 2, 1, 2), torch.tensor([[[1, 0]]])
    # every probability is 1/2: overlap 1/2, predicted 1, true 1
    expected = math.log(2) + 1 - (2 * 0.5 + 1) / (1 + 1 + 1)
    assert value(dice_cross_entropy(logits, target)) == pytest.approx(expected)


def test_dice_adds_up_over_the_batch_and_averages_foreground_classes():
    target = torch.tensor([[[1, 1]], [[0, 2]]])
    logits = functional.one_hot(target, 3).movedim(-1, 1).float() * 50
    logits[0, :, 0, 0] = torch.tensor([50.0, 0, 0])  # one of two muscle pixels missed
    dice = [(2 * 1 + 1) / (1 + 2 + 1), 1.0]
    expected = 50 / 4 + 1 - np.mean(dice)
    assert value(dice_cross_entropy(logits, target)) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_monai_at_its_matching_setting(seed):
    logits, target = drawn(seed)
    theirs = DiceCELoss(
        include_background=False,
        to_onehot_y=True,
        softmax=True,
        batch=True,
        smooth_nr=1.0,
        smooth_dr=1.0,
    )(logits, target.unsqueeze(1))
    ours = dice_cross_entropy(logits, target)
    assert value(ours) == pytest.approx(value(theirs), abs=1e-6)
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("seed", range(3))
def test_ignored_pixels_are_as_if_cut_out(seed):
    logits, target = drawn(seed, ignored=0.4)
    known = target != IGNORED
    rows = logits.movedim(1, -1)[known].detach()
    probability = rows.double().softmax(1).numpy()
    truth = np.eye(4)[target[known]]
    dice = (2 * (probability * truth).sum(0) + 1) / (probability.sum(0) + truth.sum(0) + 1)
    expected = float(functional.cross_entropy(rows, target[known])) + 1 - dice[1:].mean()
    assert value(dice_cross_entropy(logits, target)) == pytest.approx(expected, rel=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.floats(0.1, 0.9))
def test_ignored_pixels_have_no_gradient_and_no_influence(seed, share):
    logits, target = drawn(seed, ignored=share)
    loss = dice_cross_entropy(logits, target)
    (gradient,) = torch.autograd.grad(loss, logits)
    hidden = (target == IGNORED).unsqueeze(1).expand_as(gradient)
    assert (gradient[hidden] == 0).all()
    changed = torch.where(hidden, torch.full_like(logits, 1e4), logits)
    assert value(dice_cross_entropy(changed, target)) == value(loss)


def test_nothing_known():
    logits, target = drawn(0)
    loss = dice_cross_entropy(logits, torch.full_like(target, IGNORED))
    loss.backward()
    assert value(loss) == 0
    assert logits.grad is not None and (logits.grad == 0).all()


def test_absent_class_costs_only_what_is_predicted_of_it():
    target = torch.zeros(2, 4, 4, dtype=torch.int64)
    confident = torch.zeros(2, 3, 4, 4)
    confident[:, 0] = 50
    assert value(dice_cross_entropy(confident, target)) == pytest.approx(0, abs=1e-5)


def test_finite_for_extreme_logits():
    logits, target = drawn(1)
    extreme = (logits.detach() * 1e4).requires_grad_()
    loss = dice_cross_entropy(extreme, target)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(extreme.grad).all()


def test_half_precision_logits_are_scored_in_single():
    logits, target = drawn(2)
    half = logits.detach().bfloat16()
    loss = dice_cross_entropy(half, target)
    assert loss.dtype == torch.float32
    assert value(loss) == float(dice_cross_entropy(half.float(), target))


def test_coarser_logits_count_a_half_and_a_quarter_at_the_nearest_pixels():
    _, target = drawn(0, (2, 3, 8, 12), ignored=0.2)
    coarser = [drawn(seed, (2, 3, 8 // step, 12 // step))[0] for seed, step in ((1, 2), (2, 4))]
    expected = 0.0
    for weight, logits in zip((0.5, 0.25), coarser, strict=True):
        size = logits.shape[2:]
        nearest = functional.interpolate(target[:, None].float(), size, mode="nearest-exact")
        expected += weight * value(dice_cross_entropy(logits, nearest[:, 0].long()))
    loss = coarser_loss(coarser, target)
    assert value(loss) == pytest.approx(expected)
    loss.backward()
    assert all(logits.grad.abs().sum() > 0 for logits in coarser)
