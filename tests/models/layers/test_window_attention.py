"""Window attention equals MONAI's, forward and backward."""

import copy

import pytest
import torch
from monai.networks.nets.swin_unetr import WindowAttention

from cl_seg.models.layers import use_faster_layers


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("channels", "heads"), [(12, 3), (16, 2), (6, 6)])
@pytest.mark.parametrize("tokens", [49, 16])
def test_equals_monai(channels, heads, tokens, masked):
    torch.manual_seed(0)
    layer = WindowAttention(channels, heads, (7, 7), qkv_bias=True)
    torch.nn.init.normal_(layer.relative_position_bias_table)
    x, of_out = torch.randn(6, tokens, channels), torch.randn(6, tokens, channels)
    mask = -100.0 * torch.randint(2, (3, tokens, tokens)) if masked else None
    expected = passes(layer, x, mask, of_out)
    found = passes(use_faster_layers(copy.deepcopy(layer)), x, mask, of_out)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)


def test_dropout_of_the_weights_is_kept():
    layer = use_faster_layers(WindowAttention(4, 2, (2, 2), attn_drop=1.0))
    assert torch.equal(layer(torch.randn(1, 4, 4), None), layer.proj.bias.expand(1, 4, 4))


def passes(layer, x, mask, of_out):
    """Output and gradients of a layer."""
    x = x.clone().requires_grad_()
    out = layer(x, mask)
    out.backward(of_out)
    return {"out": out, "x": x.grad} | {n: p.grad for n, p in layer.named_parameters()}
