"""MAS against a closed form, and against Avalanche's where that one is right."""

from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training.plugins import MASPlugin
from torch import nn

from cl_seg.strategies.mas.plugin import MAS, squared_norm

from .conftest import Slices, flat, train_on_digits


def learn(plugin, model, data, experience=0):
    here = SimpleNamespace(dataset=Slices(data), current_experience=experience)
    plugin.after_training_exp(SimpleNamespace(model=model, experience=here))


def test_closed_form_of_a_linear_model():
    """f = W x: ∂‖f‖²/∂W_ij = 2 f_i x_j for every pixel, averaged over pixels, then |·| averaged."""
    torch.manual_seed(0)
    model = nn.Conv2d(2, 3, 1, bias=False)
    images = torch.randn(4, 2, 5, 6)
    plugin = MAS()
    learn(plugin, model, [(image, torch.zeros(5, 6)) for image in images])
    weight = model.weight.detach()[:, :, 0, 0]
    outputs = torch.einsum("ij,bjhw->bihw", weight, images)
    slopes = 2 * torch.einsum("bihw,bjhw->bij", outputs, images) / 30
    torch.testing.assert_close(plugin.importance["weight"][:, :, 0, 0], slopes.abs().mean(0))


def test_norm_is_that_of_a_vector_per_pixel():
    assert float(squared_norm(torch.tensor([[3.0, 4.0]]))) == 25
    assert float(squared_norm(torch.ones(2, 3, 4, 5))) == 3


@pytest.mark.parametrize("experiences", [2, 3])
def test_is_avalanches_for_batches_of_one(experiences):
    ours = MAS(mas_lambda=2 * 0.5, keep=0.3)
    theirs = MASPlugin(lambda_reg=0.5, alpha=0.3)
    mine = train_on_digits([ours], experiences, batch=1, epochs=1, count=40)
    other = train_on_digits([theirs], experiences, batch=1, epochs=1, count=40)
    naive = train_on_digits([], experiences, batch=1, epochs=1, count=40)
    torch.testing.assert_close(flat(mine), flat(other), rtol=1e-3, atol=1e-4)
    assert (flat(mine) - flat(naive)).norm() > 0.01 * flat(naive).norm()


def test_importance_of_scanners_adds_up_around_the_latest_weights():
    torch.manual_seed(0)
    model = nn.Conv2d(1, 2, 1)
    data = [(torch.randn(1, 3, 3), torch.zeros(3, 3)) for _ in range(3)]
    both, single = MAS(), MAS()
    learn(both, model, data)
    first = both.importance["weight"].clone()
    with torch.no_grad():
        model.weight += 1
    learn(both, model, data, 1)
    learn(single, model, data, 1)
    torch.testing.assert_close(both.importance["weight"], first + single.importance["weight"])
    assert torch.equal(both.centre["weight"], model.weight.detach())
