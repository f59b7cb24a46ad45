"""VNet2d is MONAI's VNet, less its dropout of whole samples."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from monai.networks.nets import VNet
from torch import nn

from cl_seg.models.vnet import VNet2d


def dropouts(model):
    return [m for m in model.modules() if isinstance(m, nn.modules.dropout._DropoutNd)]


def zeroed_samples(layer, batch=64):
    torch.manual_seed(0)
    out = layer(torch.ones(batch, 8, 2, 2))
    return int((out.flatten(1) == 0).all(1).sum())


@pytest.fixture(scope="module")
def pair():
    torch.manual_seed(0)
    theirs = VNet(spatial_dims=2, in_channels=1, out_channels=3)
    ours = VNet2d(in_channels=1, out_channels=3, width=16)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def test_equal_to_monai_in_eval_mode(pair):
    ours, theirs = (m.eval() for m in pair)
    x = torch.rand(2, 1, 32, 48)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


def test_equal_to_monai_in_training_without_dropout(pair):
    ours, theirs = (m.train() for m in pair)
    for layer in dropouts(ours) + dropouts(theirs):
        layer.eval()
    x = torch.rand(2, 1, 32, 32)
    assert torch.equal(ours(x), theirs(x))


def test_monai_drops_samples_and_we_do_not(pair):
    ours, theirs = (dropouts(m.train()) for m in pair)
    assert len(ours) == len(theirs) == 8
    assert all(isinstance(layer, nn.Dropout3d) for layer in theirs)
    assert all(zeroed_samples(layer) > 10 for layer in theirs)
    assert all(type(layer) is nn.Dropout2d for layer in ours)
    assert all(zeroed_samples(layer) < 5 for layer in ours)  # 8 channels: 1 in 256 samples
    assert [layer.p for layer in ours] == [layer.p for layer in theirs]


def test_no_sample_is_zeroed_inside_the_network(pair):
    ours, _ = pair
    ours.train()
    lost = []
    hooks = [
        layer.register_forward_hook(
            lambda _m, _i, out: lost.append(int((out.flatten(1) == 0).all(1).sum()))
        )
        for layer in dropouts(ours)
    ]
    torch.manual_seed(0)
    for _ in range(3):
        ours(torch.rand(4, 1, 32, 32))
    for hook in hooks:
        hook.remove()
    assert len(lost) == 24 and sum(lost) == 0


def test_dropout_acts_in_training_only(pair):
    ours, _ = pair
    x = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        ours.eval()
        assert torch.equal(ours(x), ours(x))
        ours.train()
        assert not torch.equal(ours(x), ours(x))


@pytest.mark.parametrize("width", [4, 8])
def test_narrower(width):
    assert VNet2d(2, 5, width)(torch.rand(2, 2, 16, 32)).shape == (2, 5, 16, 32)


def test_channels_must_divide_the_width():
    with pytest.raises(ValueError, match="divisible"):
        VNet2d(3, 2, width=16)
