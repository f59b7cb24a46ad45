"""PReLU equals torch's, forward and backward."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cl_seg.models.layers import use_faster_layers


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.floats(-2, 2, width=32),
    st.integers(0, 9),
)
def test_equals_torch(shape, slope, seed):
    torch.manual_seed(seed)
    x, of_out = torch.randn(shape), torch.randn(shape)
    x.view(-1)[0] = 0
    found, expected = (passes(layer, x, of_out) for layer in layers(slope))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])


def test_in_bfloat16_the_gradient_of_the_slope_is_added_up_in_float32():
    x = -torch.rand(4096, dtype=torch.bfloat16)
    found = passes(layers(0.25)[0], x, torch.ones_like(x))
    torch.testing.assert_close(found[2], x.float().sum().reshape(1), rtol=1e-6, atol=0)


def test_several_slopes_are_torch_s():
    layer = use_faster_layers(nn.PReLU(3))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.0, 0.5, 2.0]))
    assert layer(-torch.ones(1, 3)).tolist() == [[0, -0.5, -2]]


@pytest.mark.parametrize("of_x", [True, False])
def test_no_gradient_that_is_not_asked_for(of_x):
    layer = use_faster_layers(nn.PReLU())
    layer.weight.requires_grad_(not of_x)
    x = torch.randn(3, requires_grad=of_x)
    layer(x).sum().backward()
    assert (x.grad is None) != of_x and (layer.weight.grad is None) == of_x


def layers(slope):
    """The faster layer and torch's."""
    return use_faster_layers(nn.PReLU(init=slope)), nn.PReLU(init=slope)


def passes(layer, x, of_out):
    """Output and gradients of a layer."""
    x = x.clone().requires_grad_()
    out = layer(x)
    out.backward(of_out)
    return out.detach(), x.grad, layer.weight.grad
