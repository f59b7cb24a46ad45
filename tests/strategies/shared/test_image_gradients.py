"""Gradients of single images from one pass of several are those of passes of one."""

import pytest
import torch
from torch import nn

from cl_seg.models.build import build_model
from cl_seg.strategies.shared import fisher
from cl_seg.strategies.shared.image_gradients import gradients_of_each, keeps_images_apart


class Twice(nn.Sequential):
    """Layers of which the first is used a second time, and the last never."""

    def forward(self, x):
        for layer in self[:-1]:
            x = layer(x)
        return self[0](x)


Twice.__module__ = "torch.of_a_test"


def every_layer():
    torch.manual_seed(0)
    layers = Twice(
        nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ELU(inplace=True),
        nn.Conv2d(2, 4, 3, stride=2, padding=2, dilation=2, bias=False), nn.PReLU(),
        nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.InstanceNorm2d(4, affine=True), nn.PReLU(4),
        nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1, groups=2),
        nn.Conv2d(4, 3, 3, padding="same"), nn.Dropout(0.5),
        nn.Conv2d(3, 2, 3, padding=1, padding_mode="circular"), nn.Conv2d(2, 2, 1),
    )  # fmt: skip
    layers(torch.randn(8, 2, 8, 8))  # running statistics other than 0 and 1
    layers[3].weight.requires_grad_(False)
    layers[5].bias.requires_grad_(False)
    return layers.eval(), torch.randn(3, 2, 8, 8)


def objective(logits, target):
    return (logits * target).pow(2).mean()


def one_by_one(model, images, targets):
    parts = zip(images.split(1), targets.split(1), strict=True)
    return [next(gradients_of_each(model, *part, objective)) for part in parts]


def test_of_every_layer():
    model, images = every_layer()
    targets = torch.randn(3, 2, 8, 8)
    assert keeps_images_apart(model)
    together = list(gradients_of_each(model, images, targets, objective))
    for mine, plain in zip(together, one_by_one(model, images, targets), strict=True):
        for a, b in zip(mine, plain, strict=True):
            torch.testing.assert_close(a, b)
    assert not torch.equal(together[0][0], together[1][0])
    assert not any(layer._forward_hooks for layer in model.modules())
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("network", ["unet", "vnet"])
def test_of_networks(network):
    torch.manual_seed(0)
    # float64: instance norm over a few pixels enlarges what is rounded in float32.
    model = build_model(network, "small", {}, 3, 32).double().eval()
    images, targets = torch.randn(2, 1, 32, 32).double(), torch.randn(2, 3, 32, 32).double()
    assert keeps_images_apart(model)
    together = gradients_of_each(model, images, targets, objective)
    for mine, plain in zip(together, one_by_one(model, images, targets), strict=True):
        for a, b in zip(mine, plain, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-8)


class Elsewhere(nn.Module):
    """Code that may do anything with a batch."""


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(2, 2), nn.BatchNorm2d(2, track_running_stats=False), Elsewhere()],
    ids=["linear", "statistics of the batch", "other code"],
)
def test_otherwise_images_are_taken_one_by_one(layer):
    model, seen = nn.Sequential(nn.Conv2d(1, 2, 1)), []
    model.append(layer)
    assert not keeps_images_apart(model)
    model.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    model.forward = model[0].forward
    data = [(torch.randn(1, 2, 2), torch.zeros(2, 2, dtype=torch.int64))] * 3
    fisher.fisher_information(model, data, [0, 1, 2], "empirical", torch.Generator())
    assert seen == [1, 1, 1]


def test_number_of_images_at_once_does_not_matter(monkeypatch):
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PReLU(), nn.Conv2d(4, 2, 1))
    data = [(torch.randn(1, 6, 6), torch.randint(2, (6, 6))) for _ in range(7)]
    found = []
    for at_once in (1, 3, 8):
        monkeypatch.setattr(fisher, "IMAGES_AT_ONCE", at_once)
        labels = torch.Generator().manual_seed(0)
        found.append(fisher.fisher_information(model, data, list(range(7)), "sampled", labels))
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value)
        torch.testing.assert_close(found[2][name], value)
