"""Distillation per pixel: closed values, ignored pixels, and Avalanche's on classification."""

import copy

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training.plugins import LwFPlugin
from torch import nn
from torch.nn import functional

from cl_seg.strategies.lwf.plugin import LwF, distillation

from .conftest import flat, train_on_digits


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_is_the_mean_divergence_of_the_pixels(temperature):
    torch.manual_seed(0)
    logits, taught = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    p = functional.softmax(taught / temperature, 1)
    q = functional.softmax(logits / temperature, 1)
    expected = temperature**2 * (p * (p / q).log()).sum(1).mean()
    ours = distillation(logits, taught, torch.zeros(2, 4, 5), temperature)
    torch.testing.assert_close(ours, expected)


def test_is_nothing_for_equal_logits_and_for_a_constant():
    logits = torch.randn(2, 3, 4, 4)
    assert float(distillation(logits, logits + 7, torch.zeros(2, 4, 4), 2.0)) == pytest.approx(
        0, abs=1e-6
    )


def test_ignored_pixels_take_no_part():
    torch.manual_seed(0)
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    target = torch.zeros(1, 4, 4, dtype=torch.int64)
    target[:, :2] = 255
    loss = distillation(logits, torch.randn(1, 2, 4, 4), target, 2.0)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert (gradient[:, :, :2] == 0).all() and (gradient[:, :, 2:] != 0).all()
    everything = torch.full_like(target, 255)
    assert float(distillation(logits, logits.detach() + 1, everything, 2.0)) == 0


class AllClasses(LwFPlugin):
    """Avalanche's, told the classes that it would look up in a classification dataset."""

    def after_training_exp(self, strategy, **kwargs):
        self.lwf.prev_model = copy.deepcopy(strategy.model)
        self.lwf.prev_classes_by_task[0] = set(range(10))
        self.lwf.expcount += 1


@pytest.mark.parametrize("experiences", [2, 3])
def test_is_avalanches_on_classification(experiences):
    """Avalanche leaves out T²; its teacher is in training mode, which a plain network ignores."""
    ours = train_on_digits([LwF(alpha=2.0 / 4, temperature=2)], experiences)
    theirs = train_on_digits([AllClasses(alpha=2.0, temperature=2)], experiences)
    naive = train_on_digits([], experiences)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-4, atol=1e-5)
    assert (flat(ours) - flat(naive)).norm() > 0.01 * flat(naive).norm()


class Watch(LwF):
    """Notes what the teacher is like."""

    def before_backward(self, strategy, **kwargs):
        if self.teacher is not None:
            self.modes = {m.training for m in self.teacher.modules()}
            self.frozen = not any(p.requires_grad for p in self.teacher.parameters())
            self.other = all(
                a is not b
                for a, b in zip(self.teacher.parameters(), strategy.model.parameters(), strict=True)
            )
        super().before_backward(strategy)


def test_teacher_is_a_frozen_copy_in_eval_mode_and_goes():
    plugin = Watch()
    model = train_on_digits([plugin], 2)
    assert plugin.modes == {False} and plugin.frozen and plugin.other
    assert plugin.teacher is None and isinstance(model, nn.Module)
