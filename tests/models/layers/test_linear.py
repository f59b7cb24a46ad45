"""The linear layer equals torch's, forward and backward, whoever takes its product."""

import pytest
import torch
from torch import nn

from cl_seg.models.layers import linear, use_faster_layers

LARGE, SMALL = (80, 64), (6, 5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [LARGE, SMALL])
@pytest.mark.parametrize("shape", [(7,), (2, 3), (2, 1, 5)])
def test_equals_torch(size, shape, bias):
    torch.manual_seed(0)
    layer = nn.Linear(*size, bias=bias)
    x, out = torch.randn(*shape, size[0]), torch.randn(*shape, size[1])
    expected = passes(layer, x, out)
    found = passes(use_faster_layers(layer), x, out)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("size", "by_onednn"), [(LARGE, 3), (SMALL, 0)])
def test_large_products_are_onednn_s(size, by_onednn, monkeypatch):
    calls = []
    product = linear.product
    monkeypatch.setattr(linear, "product", lambda *a: calls.append(a) or product(*a))
    layer = use_faster_layers(nn.Linear(*size))
    passes(layer, torch.randn(4, size[0]), torch.randn(4, size[1]))
    assert len(calls) == by_onednn, "one forward, one for each gradient"


def test_float64_and_autocast_are_torch_s():
    layer = use_faster_layers(nn.Linear(*LARGE))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(torch.randn(2, LARGE[0])).dtype == torch.bfloat16
    assert layer.double()(torch.randn(2, LARGE[0], dtype=torch.float64)).dtype == torch.float64


def test_no_gradient_that_is_not_asked_for():
    layer = use_faster_layers(nn.Linear(*LARGE))
    layer.weight.requires_grad_(False)
    layer(torch.randn(2, LARGE[0])).sum().backward()
    assert layer.weight.grad is None and layer.bias.grad is not None


def test_a_second_derivative_is_refused():
    x = torch.randn(2, LARGE[0], requires_grad=True)
    (first,) = torch.autograd.grad(
        use_faster_layers(nn.Linear(*LARGE))(x).square().sum(), x, create_graph=True
    )
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def passes(layer, x, of_out):
    """Output and gradients of a layer."""
    layer.zero_grad()
    x = x.clone().requires_grad_()
    out = layer(x)
    out.backward(of_out)
    return {"out": out, "x": x.grad} | {n: p.grad.clone() for n, p in layer.named_parameters()}
