"""A-GEM projects as its equation says and as Avalanche's does on the same batches."""

from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training.plugins import AGEMPlugin
from torch import nn

from cl_seg.strategies.agem.plugin import AGEM

from .conftest import digits, digits_network, flat, train_on_digits


def one_step(plugin, model, new, old):
    """Gradients after a plugin's hooks on a new and a remembered batch."""
    batch = [torch.cat(pair) for pair in zip(new, old, strict=True)]
    strategy = SimpleNamespace(
        model=model,
        mbatch=batch if isinstance(plugin, AGEM) else list(new),
        device=torch.device("cpu"),
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        _criterion=nn.CrossEntropyLoss(),
    )
    plugin.before_training_iteration(strategy)
    model.zero_grad()
    nn.functional.cross_entropy(model(strategy.mbatch[0]), strategy.mbatch[1]).backward()
    plain = gradient(model)
    plugin.after_backward(strategy)
    return plain, gradient(model)


def gradient(model):
    return torch.cat([p.grad.flatten() for p in model.parameters()]).clone()


def batches(seed, conflict):
    """A new and a remembered batch; in conflict they have the same inputs and other labels."""
    x, y = digits()
    new, old = slice(seed * 10, seed * 10 + 10), slice(seed * 10 + 500, seed * 10 + 510)
    tasks = torch.zeros(10, dtype=torch.int64)
    remembered = (x[new], (y[new] + 1) % 10, tasks) if conflict else (x[old], y[old], tasks)
    return (x[new], y[new], tasks), remembered


@pytest.mark.parametrize("conflict", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_is_avalanches_on_the_same_batches(conflict, seed):
    new, old = batches(seed, conflict)
    ours, theirs = AGEM(), AGEMPlugin(10, 10)
    ours.memory_batch_size, theirs.buffers = 10, [None]
    theirs.sample_from_memory = lambda: old
    plain, mine = one_step(ours, digits_network(), new, old)
    _, other = one_step(theirs, digits_network(), new, old)
    torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-7)
    assert torch.equal(mine, plain) != conflict


def test_projected_gradient_does_not_harm_the_memory():
    new, old = batches(0, conflict=True)
    plugin, model = AGEM(), digits_network()
    plugin.memory_batch_size = 10
    plain, projected = one_step(plugin, model, new, old)
    model.zero_grad()
    nn.functional.cross_entropy(model(old[0]), old[1]).backward()
    reference = gradient(model)
    assert torch.dot(plain, reference) < 0
    along = torch.dot(projected, reference) / (projected.norm() * reference.norm())
    assert abs(float(along)) < 1e-4


def test_trains_on_the_new_part_alone():
    sizes = []

    class Watch(AGEM):
        def before_backward(self, strategy, **kwargs):
            sizes.append((strategy.experience.current_experience, len(strategy.mb_output)))

    train_on_digits([Watch(budget=20, batch_share=0.25)], 2, epochs=1)
    assert {n for k, n in sizes if k == 1} == {12}
    assert max(n for k, n in sizes if k == 0) == 16


def test_reference_batch_has_a_size_of_its_own():
    sizes = []

    class Watch(AGEM):
        def before_training_iteration(self, strategy, **kwargs):
            before = len(strategy.mbatch[0])
            super().before_training_iteration(strategy)
            sizes.append((strategy.experience.current_experience, before, len(strategy.mbatch[0])))

    train_on_digits([Watch(budget=20, reference_batch=3)], 2, epochs=1)
    assert {(seen, new) for k, seen, new in sizes if k == 1} == {(16, 13)}
    sizes.clear()
    train_on_digits([Watch(budget=20, reference_batch=40, batch="added")], 2, epochs=1)
    assert {(seen, new) for k, seen, new in sizes if k == 1} == {(56, 16)}


def test_the_usual_size_given_as_its_own_changes_nothing():
    usual = train_on_digits([AGEM(budget=20)], 2)
    assert torch.equal(flat(usual), flat(train_on_digits([AGEM(budget=20, reference_batch=8)], 2)))
