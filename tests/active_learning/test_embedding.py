"""Features and entropy of slices."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from torch import nn

from cl_seg.active_learning.embedding import embed
from cl_seg.benchmark.experiences import dense_dataset
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS
from tests import networks


class Known(nn.Module):
    """Halves twice the image, then gives logits that are certain where the image is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.halve = nn.AvgPool2d(2)
        self.enlarge = nn.Upsample(scale_factor=2)

    def forward(self, images):
        bright = self.enlarge(self.halve(self.factor * images))
        return torch.cat([1000.0 * (bright > 2), torch.zeros_like(bright)], dim=1)


def test_features_are_the_mean_of_the_coarsest_map_and_entropy_is_per_pixel(images, parts):
    rows = parts[parts["part"] == "train"]
    slices = SliceDataset(images, rows)
    features, entropy = embed(Known(), slices)
    pixels, _ = slices.batch(torch.arange(len(slices)))
    np.testing.assert_allclose(features[:, 0], 2 * pixels.mean(dim=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(entropy, np.log(2), rtol=1e-6)


# The slices are too small for Swin-UNETR.
FITTING = [networks.case(name) for name in NETWORKS if name != "swin_unetr"]


@pytest.mark.parametrize("network", FITTING)
def test_every_network_gives_features_and_stays_as_it_was(images, parts, network):
    torch.manual_seed(0)
    model = build_model(network, "small", {}, 3, 32).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    features, entropy = embed(model, SliceDataset(images, parts[:6]))
    assert features.shape[0] == 6 == len(entropy) and features.shape[1] > 1
    assert np.isfinite(features).all() and (entropy > 0).all() and features.std(axis=0).max() > 0
    assert model.training and all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("network", FITTING)
def test_features_are_not_those_of_the_first_layer_alone(images, parts, network):
    torch.manual_seed(0)
    model, slices = build_model(network, "small", {}, 3, 32), SliceDataset(images, parts[:6])
    before, _ = embed(model, slices)
    first = next(iter(slices.batch(torch.arange(1))))
    takes_image = []

    def note(module, given):
        if [getattr(one, "shape", None) for one in given] == [first.shape]:
            takes_image.append(module)

    for module in model.modules():
        module.register_forward_pre_hook(note)
    model.eval()(first)
    own = {id(p) for module in takes_image[1:] for p in module.parameters(recurse=False)}
    with torch.no_grad():
        for parameter in model.parameters():
            if id(parameter) not in own:
                parameter.add_(torch.randn_like(parameter))
    after, _ = embed(model, slices)
    assert not np.allclose(before, after)


def test_an_experience_is_embedded_like_its_slices_and_nothing_random_is_drawn(images, parts):
    torch.manual_seed(0)
    model = build_model("unet", "small", {}, 3, 32)
    state = torch.get_rng_state()
    of_slices = embed(model, SliceDataset(images, parts[:20]))
    of_experience = embed(model, dense_dataset(images, parts[:20]).eval())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(np.array_equal(a, b) for a, b in zip(of_slices, of_experience, strict=True))


def test_a_network_without_feature_maps_is_refused():
    with pytest.raises(InputError, match="no layer of the network gives a"):
        embed(nn.Linear(3, 2), [(torch.zeros(3), 0)])
