"""nnU-Net's U-Nets compute what its package does, and give one tensor of logits."""

import copy

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from torch import nn

from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS
from cl_seg.runtime.deep_supervision import coarser_logits

unet = pytest.importorskip("dynamic_network_architectures.architectures.unet")
CHANNELS = (16, 32, 64, 128, 256)
NAMES = ["nnunet", "nnunet_resenc"]


def theirs(name):
    torch.manual_seed(3)
    kind, blocks, decoder = {
        "nnunet": (unet.PlainConvUNet, 2, 2),
        "nnunet_resenc": (unet.ResidualEncoderUNet, [1, 3, 4, 6, 6], 1),
    }[name]
    network = kind(
        *(1, 5, CHANNELS, nn.Conv2d, 3, [1, 2, 2, 2, 2], blocks, 3, decoder, True),
        *(nn.InstanceNorm2d, {"eps": 1e-5, "affine": True}, None, None),
        *(nn.LeakyReLU, {"inplace": True}),
        deep_supervision=True,
    )
    network.apply(network.initialize)
    return network


def ours(name):
    torch.manual_seed(3)
    return build_model(name, "small", {}, 3, 64)


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_theirs_bit_for_bit(name):
    model, x = ours(name), torch.rand(2, 1, 64, 64)
    full, *coarser = theirs(name)(x)
    with coarser_logits(model) as found:
        assert torch.equal(model(x), full)
    assert len(coarser) == 3 and len(found) == 2, "the coarsest has weight 0"
    assert all(torch.equal(a, b) for a, b in zip(found, coarser, strict=False))


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_one_name_and_all_are_theirs(name):
    model, given = ours(name), theirs(name)
    assert len(model.state_dict()) == len(dict(model.named_parameters()))
    coarsest = sum(p.numel() for p in given.decoder.seg_layers[0].parameters())
    counts = [sum(p.numel() for p in m.parameters()) for m in (model, given)]
    assert counts[0] == counts[1] - coarsest
    assert model.state_dict().keys() <= given.state_dict().keys()


def test_weights_of_theirs_are_loaded_by_name():
    given, model = theirs("nnunet"), build_model("nnunet", "small", {}, 3, 64)
    weights = {n: w for n, w in given.state_dict().items() if n in model.state_dict()}
    model.load_state_dict(weights)
    x = torch.rand(1, 1, 32, 32)
    assert torch.equal(model(x), given(x)[0])


def test_nothing_is_kept_of_a_forward_pass():
    model = ours("nnunet")
    with coarser_logits(model):
        model(torch.rand(1, 1, 32, 32))
    assert model.coarser is None
    model(torch.rand(1, 1, 32, 32))
    copy.deepcopy(model)  # tensors of a graph could not be copied


def test_coarser_logits_are_of_half_and_quarter_size():
    model = ours("nnunet")
    with coarser_logits(model) as found:
        model(torch.rand(2, 1, 32, 64))
    assert [tuple(logits.shape) for logits in found] == [(2, 3, 16, 32), (2, 3, 8, 16)]


def test_the_version_of_the_package_is_known():
    assert NETWORKS["nnunet"].package_version()[0].isdigit()
