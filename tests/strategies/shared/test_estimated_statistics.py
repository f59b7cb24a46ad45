"""Statistics of batch norm are mean and variance of its input, whatever the batches."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.shared.estimated_statistics import estimate_statistics

IMAGES = torch.randn(7, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 3 + 5


class TwoLayers(nn.Module):
    """Declared in the opposite order of their use."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.second = nn.BatchNorm2d(3)
        self.between = nn.Sequential(nn.ReLU(), nn.Dropout(), nn.Conv2d(2, 3, 3))
        self.first = nn.BatchNorm2d(2)
        self.begin = nn.Conv2d(1, 2, 1)

    def forward(self, x):
        return self.second(self.between(self.first(self.begin(x))))


def inputs_of(model, layer):
    seen = []
    handle = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model.eval()(IMAGES)
    handle.remove()
    return seen[0].double().numpy()


def test_mean_and_variance_of_every_input_under_the_new_statistics():
    model = TwoLayers()
    estimate_statistics(model, IMAGES.split(3))
    for layer in (model.first, model.second):
        x = inputs_of(model, layer)
        np.testing.assert_allclose(layer.running_mean, x.mean((0, 2, 3)), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(layer.running_var, x.var((0, 2, 3)), rtol=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 6))
def test_division_into_batches_only_rounds(size):
    whole, parts = TwoLayers(), TwoLayers()
    estimate_statistics(whole, [IMAGES])
    estimate_statistics(parts, IMAGES.split(size))
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor)


def test_a_prior_counts_as_so_many_images():
    model, alone = (nn.Sequential(nn.BatchNorm2d(1)) for _ in range(2))
    estimate_statistics(alone, [IMAGES])
    estimate_statistics(model, [IMAGES], prior=21.0)
    for name, old in (("running_mean", 0.0), ("running_var", 1.0)):
        expected = (21 * old + 7 * getattr(alone[0], name)) / 28
        torch.testing.assert_close(getattr(model[0], name), expected)


def test_only_statistics_change_and_the_mode_stays():
    model = TwoLayers().train()
    before = {name: p.clone() for name, p in model.named_parameters()}
    estimate_statistics(model, [IMAGES])
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert all(module.training for module in model.modules())
    assert int(model.first.num_batches_tracked) == 0


def test_a_network_without_batch_norm_is_refused():
    with pytest.raises(InputError, match="no batch norm"):
        estimate_statistics(nn.Conv2d(1, 1, 1), [IMAGES])
