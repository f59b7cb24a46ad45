"""DER++'s loss is its equation, and stored logits follow their slices."""

from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training import Naive
from torch import nn

from cl_seg.strategies.der.plugin import DER, squared_distance
from cl_seg.training.augmentation import Augmentation, AugmentationConfig

from .conftest import plain_benchmark, train_on_digits


def test_loss_is_the_equation_on_every_batch():
    checked = []

    class Checked(DER):
        def before_backward(self, strategy, **kwargs):
            super().before_backward(strategy)
            if not self.memory_batch_size:
                return
            new = len(strategy.mb_y) - self.memory_batch_size
            out, y = strategy.mb_output, strategy.mb_y
            rows = list(strategy.dataloader.old.drawn)
            stored = torch.cat([self.logits[k] for k in sorted(self.logits)])[rows].float()
            expected = (
                nn.functional.cross_entropy(out[:new], y[:new])
                + 0.3 * ((out[new:] - stored) ** 2).mean()
                + 0.7 * nn.functional.cross_entropy(out[new:], y[new:])
            )
            torch.testing.assert_close(strategy.loss, expected)
            checked.append(len(rows))

    plugin = Checked(budget=20, alpha=0.3, beta=0.7)
    train_on_digits([plugin], 3)
    assert len(checked) > 20 and set(checked) == {8}


def test_drawn_names_the_slices_in_the_batch():
    """Every input is its own name, so that a wrong index shows."""
    names = [torch.arange(k * 100.0, k * 100 + 30)[:, None].expand(-1, 4).clone() for k in range(3)]
    seen = []

    class Named(DER):
        def before_forward(self, strategy, **kwargs):
            if self.memory_batch_size:
                stored = [(k, i) for k in sorted(self.memory) for i in self.memory[k]]
                drawn = [stored[i] for i in strategy.dataloader.old.drawn]
                expected = torch.stack([names[k][i] for k, i in drawn])
                assert torch.equal(strategy.mb_x[-self.memory_batch_size :], expected)
                seen.append(len(drawn))

    torch.manual_seed(0)
    network = nn.Linear(4, 3)
    learner = Naive(
        model=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=1e-9),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=8,
        plugins=[Named(budget=10)],
        evaluator=None,
    )
    for part in plain_benchmark([(x, torch.arange(30) % 3) for x in names]).train_stream:
        learner.train(part)
    assert len(seen) > 6


def pictures(count, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 1, 8, 8, generator=generator)
    return images, (images[:, 0] > 0.5).long()


def memory_of(plugin, model, parts):
    stream = plain_benchmark(parts).train_stream
    for experience in stream:
        plugin.after_training_exp(SimpleNamespace(model=model, experience=experience))
    return stream


def test_logits_are_those_of_the_remembered_slices():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Dropout(0.9))
    plugin = DER(budget=5)
    parts = [pictures(7, 0), pictures(4, 1)]
    memory_of(plugin, model, parts)
    assert model.training
    model.eval()
    assert [len(plugin.memory[k]) for k in (0, 1)] == [3, 2]
    for k, (images, _) in enumerate(parts):
        expected = model(images[plugin.memory[k]]).detach()
        assert plugin.logits[k].dtype == torch.float16
        torch.testing.assert_close(plugin.logits[k].float(), expected, rtol=2e-3, atol=2e-3)


def test_logits_move_with_their_slices():
    """A network that only looks at single pixels gives moved logits for moved images."""
    torch.manual_seed(0)
    model = nn.Conv2d(1, 3, 1)
    images = nn.functional.interpolate(torch.rand(4, 1, 4, 4), size=32, mode="bilinear")
    ranges = AugmentationConfig(rotate_degrees=20, scale=0.2, flip=True, shift=0.0)
    transform = Augmentation(ranges, torch.Generator().manual_seed(1))(images)
    stored = transform.maps(model(images)[2:].detach(), first=2)
    inside = transform.maps(torch.ones(2, 1, 32, 32), first=2) >= 1
    seen = model(transform.images(images))[2:]
    assert 0.3 < inside.float().mean() < 1
    assert float(squared_distance(seen.detach(), stored, inside)) < 1e-10
    still = model(images)[2:].detach()
    assert float(squared_distance(seen.detach(), still, inside)) > 1e-4


def test_ignored_pixels_take_no_part_in_the_distance():
    torch.manual_seed(0)
    strategy = SimpleNamespace(
        mb_y=torch.full((2, 4, 4), 255), mb_output=torch.rand(2, 3, 4, 4, requires_grad=True)
    )
    strategy._criterion = lambda logits, _: logits.sum() * 0
    strategy.dataloader = SimpleNamespace(old=SimpleNamespace(drawn=[0]))
    plugin = DER(alpha=1.0)
    plugin.memory_batch_size, plugin.logits = 1, {0: torch.zeros(1, 3, 4, 4).half()}
    strategy.mb_y[1, 0, 0] = 1
    plugin.before_backward(strategy)
    (gradient,) = torch.autograd.grad(strategy.loss, strategy.mb_output)
    assert gradient[1, :, 0, 0].abs().min() > 0
    assert gradient.abs().sum() == gradient[1, :, 0, 0].abs().sum()


def test_distance_is_a_mean_over_classes_and_pixels_inside():
    a, b = torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    a[0, 0, 0, 0], a[0, 1, 1, 1] = 2.0, 100.0
    inside = torch.ones(1, 1, 2, 2, dtype=torch.bool)
    inside[0, 0, 1, 1] = False
    assert float(squared_distance(a, b, inside)) == pytest.approx(4 / 2 / 3)
    assert float(squared_distance(a, b, torch.zeros_like(inside))) == 0
