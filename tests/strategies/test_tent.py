"""Entropy of one case falls, by weights and biases of normalisation layers alone."""

import math

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.shared.batch_norm import batch_statistics
from cl_seg.strategies.tent.plugin import Tent, entropy

from ..conftest import tiny_network

IMAGES = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) + 2


def layer_normed():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.LayerNorm([6, 6, 6]), nn.ReLU(), nn.Conv2d(6, 3, 1))


def instance_normed():
    torch.manual_seed(0)
    norm = nn.InstanceNorm2d(6, affine=True)
    return nn.Sequential(nn.Conv2d(1, 6, 3), norm, nn.ReLU(), nn.Conv2d(6, 3, 1))


def mean_entropy(model):
    with torch.no_grad(), batch_statistics(model):
        return float(entropy(model(IMAGES)).mean())


NETWORKS = [tiny_network, layer_normed, instance_normed]


@pytest.mark.parametrize("make", NETWORKS)
def test_entropy_falls_on_a_fixed_case(make):
    entropies = []
    for steps in (1, 5, 20):
        model = make()
        Tent(steps=steps, learning_rate=0.01).prepare_scoring(model, 0, [IMAGES])
        entropies.append(mean_entropy(model))
    assert mean_entropy(make()) > entropies[0] > entropies[1] > entropies[2]


def test_after_one_step_it_is_adam_on_the_entropy():
    model, expected = layer_normed(), layer_normed()
    Tent(learning_rate=0.01).prepare_scoring(model, 0, IMAGES.split(2))
    affine = list(expected[1].parameters())
    optimizer = torch.optim.Adam(affine, lr=0.01)
    p = expected(IMAGES).softmax(1)
    (-(p * p.log()).sum(1)).mean().backward()
    optimizer.step()
    for found, by_hand in zip(model[1].parameters(), affine, strict=True):
        torch.testing.assert_close(found, by_hand, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", NETWORKS)
def test_nothing_else_changes_and_nothing_is_drawn(make):
    before, random = make().state_dict(), torch.get_rng_state()
    model = make().train()
    torch.set_rng_state(random)
    Tent(steps=2).prepare_scoring(model, 0, IMAGES.split(4))
    changed = {n for n, p in model.state_dict().items() if not torch.equal(p, before[n])}
    statistics = {"1.running_mean", "1.running_var"} & before.keys()
    assert changed == {"1.weight", "1.bias"} | statistics
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert all(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), random)


def test_scored_with_the_statistics_of_the_case_under_the_new_weights():
    model = tiny_network()
    Tent(learning_rate=0.1).prepare_scoring(model, 0, IMAGES.split(4))
    mean = model[0](IMAGES).mean((0, 2, 3)).detach()
    torch.testing.assert_close(model[1].running_mean, mean)


@pytest.mark.parametrize("norm", [nn.Identity(), nn.InstanceNorm2d(3)])
def test_a_network_without_weights_to_adapt_is_refused(norm):
    with pytest.raises(InputError, match="no normalisation layer with a weight"):
        Tent().prepare_scoring(nn.Sequential(nn.Conv2d(1, 3, 1), norm), 0, [IMAGES])


def test_entropy_of_equal_and_of_certain_classes():
    even, certain = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    certain[:, 0] = 1e4
    torch.testing.assert_close(entropy(even), torch.full((2,), math.log(3)))
    assert torch.equal(entropy(certain), torch.zeros(2))
