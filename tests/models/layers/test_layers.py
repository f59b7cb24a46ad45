"""The faster layers keep a network's parameters; the registered networks have them."""

import pytest
import torch
from monai.networks.nets.swin_unetr import WindowAttention
from torch import nn

from cl_seg.models.build import build_model
from cl_seg.models.layers import use_faster_layers
from cl_seg.models.layers.linear import Linear
from cl_seg.models.layers.prelu import PReLU
from cl_seg.models.layers.window_attention import TransposedWindowAttention


def test_only_the_class_of_a_layer_changes():
    network = nn.Sequential(nn.Linear(2, 3), nn.PReLU(), nn.Conv2d(1, 1, 1), nn.PReLU(4))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert use_faster_layers(network) is network
    assert [type(layer) for layer in network] == [Linear, PReLU, nn.Conv2d, PReLU]
    assert list(network.state_dict()) == list(before)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_layer_of_a_class_of_its_own_stays():
    class Own(nn.Linear):
        pass

    assert type(use_faster_layers(Own(1, 1))) is Own


@pytest.mark.parametrize(
    ("network", "slow", "fast"),
    [
        ("unet", nn.PReLU, PReLU),
        ("unetr", nn.Linear, Linear),
        ("swin_unetr", WindowAttention, TransposedWindowAttention),
    ],
)
def test_registered_networks_have_them(network, slow, fast):
    found = {type(layer) for layer in build_model(network, "small", {}, 3, 64).modules()}
    assert fast in found and slow not in found
