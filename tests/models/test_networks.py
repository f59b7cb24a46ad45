"""Every registered network gives logits of the declared shape at the declared sizes, and learns."""

import pydoc
from dataclasses import replace

import pytest
import torch
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model, parameter_count
from cl_seg.models.registry import NETWORKS
from cl_seg.runtime.deep_supervision import coarser_logits
from tests import networks

TRAINABLE = {name: n.smallest_size for name, n in NETWORKS.items()}


def make(in_channels, out_channels, image_size, depth=1):
    """A network of one's own, named as module:callable."""
    assert image_size == 24
    return nn.Sequential(*[nn.Conv2d(in_channels, out_channels, 1)] * depth)


@pytest.mark.parametrize("name", networks.ALL)
def test_output_and_gradient(name):
    torch.manual_seed(0)
    size = TRAINABLE[name]
    model = build_model(name, "small", {}, classes=3, image_size=size)
    with coarser_logits(model) as coarser:
        logits = model(torch.rand(2, 1, size, size))
    assert logits.shape == (2, 3, size, size) and logits.dtype == torch.float32
    sum(given.square().mean() for given in [logits, *coarser]).backward()
    without = {n for n, p in model.named_parameters() if p.grad is None}
    # MONAI's transformer block makes the norm of a cross-attention it does not have.
    assert all("norm_cross_attn" in n for n in without), "parameters that no loss reaches"


@pytest.mark.parametrize("name", networks.ALL)
def test_no_activation_at_the_output(name):
    torch.manual_seed(0)
    size = TRAINABLE[name]
    model = build_model(name, "small", {}, classes=3, image_size=size).eval()
    logits = model(torch.randn(1, 1, size, size))
    assert logits.min() < 0 and not torch.allclose(logits.sum(1), torch.tensor(1.0))


@pytest.mark.parametrize("name", networks.ALL)
def test_sizes_below_the_multiple_fail(name):
    multiple = NETWORKS[name].size_multiple
    size = TRAINABLE[name] + multiple // 2
    with pytest.raises((ValueError, RuntimeError)):
        build_model(name, "small", {}, classes=3, image_size=size)(torch.rand(2, 1, size, size))


@pytest.mark.parametrize("name", networks.ALL)
def test_any_multiple_from_two_on_trains(name):
    size = 3 * NETWORKS[name].size_multiple
    model = build_model(name, "small", {}, classes=2, image_size=size)
    assert model(torch.rand(2, 1, size, size)).shape == (2, 2, size, size)


@pytest.mark.parametrize("name", networks.ALL)
def test_drawn_from_the_global_generator(name):
    def drawn(seed):
        torch.manual_seed(seed)
        model = build_model(name, "small", {}, classes=3, image_size=64)
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    first = drawn(1)
    assert torch.equal(first, drawn(1)) and not torch.equal(first, drawn(2))


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        networks.case("vnet", 2_341_986, 9_359_538),
        networks.case("unet", 1_625_496, 6_495_944),
        networks.case("unetr", 5_727_019, 87_149_523),
        networks.case("swin_unetr", 1_590_141, 25_138_029),
        networks.case("segresnet", 1_576_419, 6_298_563),
        networks.case("attention_unet", 1_987_451, 7_939_811),
        networks.case("mednext", 1_384_851, 5_472_035),
        networks.case("nnunet", 1_944_089, 7_766_057),
        networks.case("nnunet_resenc", 9_438_265, 37_716_073),
    ],
)
def test_parameter_counts(name, small, large):
    with torch.device("cpu" if name == "swin_unetr" else "meta"):
        counts = [parameter_count(build_model(name, p, {}, 3, 64)) for p in ("small", "large")]
    assert counts == [small, large]


def test_a_package_that_is_not_installed(monkeypatch):
    needing = replace(NETWORKS["unet"], package="no-such-package")
    monkeypatch.setitem(NETWORKS, "unet", needing)
    with pytest.raises(InputError, match=r"pip install -c constraints\.txt no-such-package"):
        build_model("unet", "small", {}, classes=3, image_size=32)


def test_only_trainable_parameters_are_counted():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert parameter_count(model) == 6 + 2 + 4
    model[0].weight.requires_grad_(False)
    assert parameter_count(model) == 2 + 4


def test_module_and_callable():
    model = build_model(f"{__name__}:make", "small", {"depth": 2}, classes=1, image_size=24)
    assert len(model) == 2 and model(torch.zeros(1, 1, 24, 24)).shape == (1, 1, 24, 24)


@pytest.mark.parametrize("name", ["nowhere.at_all:make", f"{__name__}:absent", "json", ":make"])
def test_what_cannot_be_imported(name):
    with pytest.raises(InputError, match="cannot be imported") as caught:
        build_model(name, "small", {}, classes=3, image_size=32)
    assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("BasicUNet", {"features": [8, 8, 8, 8, 8, 8]}),
        ("UNet", {"channels": [4, 8], "strides": [2]}),
        ("SegResNet", {"init_filters": 8}),
        ("UNETR", {"feature_size": 4, "hidden_size": 12, "mlp_dim": 24, "num_heads": 2}),
    ],
)
def test_networks_of_monai_are_taken_as_they_are(name, arguments):
    model = build_model(f"monai.networks.nets:{name}", "small", arguments, classes=3, image_size=32)
    assert model(torch.zeros(1, 1, 32, 32)).shape == (1, 3, 32, 32)


def takes_everything(**given):
    assert given == {"in_channels": 1, "out_channels": 3, "image_size": 24}
    return nn.Conv2d(1, 3, 1)


def takes_nothing_we_offer(width):
    return nn.Conv2d(1, width, 1)


def breaks(out_channels):
    raise ValueError(f"no {out_channels}")


def test_a_callable_is_given_what_it_takes():
    build_model(f"{__name__}:takes_everything", "small", {}, classes=3, image_size=24)
    build_model(f"{__name__}:takes_nothing_we_offer", "small", {"width": 3}, 3, 24)
    with pytest.raises(InputError, match=r"no 3 \(test_networks.py, line \d+: `raise ValueError"):
        build_model(f"{__name__}:breaks", "small", {}, classes=3, image_size=24)


def test_wrong_arguments_are_an_input_error():
    with pytest.raises(InputError, match="width"):
        build_model(f"{__name__}:make", "small", {"width": 2}, classes=3, image_size=24)


def test_bundles_of_earlier_versions_find_the_function() -> None:
    assert pydoc.locate("cl_seg.models.registry.build_model") is build_model
