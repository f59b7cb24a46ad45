"""Stored features stand for the images they are of, and no image is kept."""

import copy
from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from torch import nn

from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS
from cl_seg.strategies.latent_replay.encoder_outputs import (
    changed_outputs,
    encoder_outputs,
    outermost_modules,
    outputs_read_outside,
)
from cl_seg.strategies.latent_replay.plugin import LatentReplay
from cl_seg.strategies.shared.encoder_names import ENCODERS
from cl_seg.strategies.shared.frozen_parameters import FrozenParameters
from cl_seg.suite.stages.plugin_state import memory_footprint

from .conftest import plain_benchmark

STUDY = ("vnet", "unet", "unetr", "swin_unetr")


def network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return build_model(name, "small", {}, 3, NETWORKS[name].smallest_size).eval()


def images(name: str, count: int, seed: int = 1) -> torch.Tensor:
    size = NETWORKS[name].smallest_size
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(seed))


def slices(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    found = images("unet", count, seed)
    return found, (found[:, 0] > 0.5).long()


def after(plugin: LatentReplay, model: nn.Module, *parts: tuple[torch.Tensor, torch.Tensor]):
    stream = plain_benchmark(list(parts)).train_stream
    for experience in stream:
        plugin.after_training_exp(SimpleNamespace(model=model, experience=experience))
    return stream


@pytest.mark.parametrize("name", STUDY)
def test_stored_features_are_all_that_the_decoder_reads(name):
    """Logits of images whose encoder outputs are replaced by those of others are the others'."""
    model, shown = network(name), images(name, 2)
    modules = outermost_modules(model, FrozenParameters(ENCODERS).is_frozen)
    read = outputs_read_outside(model, modules, shown[:1])
    stored = encoder_outputs(model, modules, read, shown)
    assert set(stored) == set(read)

    def replace(name, tensor):
        return stored[name].to(tensor) if name in stored else tensor

    with torch.no_grad():
        expected = model(shown)
        with changed_outputs(model, modules, replace):
            replaced = model(torch.zeros_like(shown))
        assert torch.equal(model(shown), expected), "the hooks are gone"
    torch.testing.assert_close(replaced, expected, rtol=2e-2, atol=2e-2)  # float16


@pytest.mark.parametrize("name", STUDY)
def test_nothing_is_stored_that_the_decoder_does_not_read(name):
    model, shown = network(name), images(name, 1)
    modules = outermost_modules(model, FrozenParameters(ENCODERS).is_frozen)
    read = outputs_read_outside(model, modules, shown)
    stored = encoder_outputs(model, modules, read, shown)

    @torch.no_grad()
    def logits(names):
        def replace(key, tensor):
            return stored[key].to(tensor) if key in names else tensor

        with changed_outputs(model, modules, replace):
            return model(torch.zeros_like(shown))

    for left_out in read:
        assert not torch.equal(logits(set(read) - {left_out}), logits(read)), left_out


def test_unet_stores_one_output_per_level():
    model = network("unet")
    modules = outermost_modules(model, FrozenParameters(ENCODERS).is_frozen)
    shapes = encoder_outputs(
        model, modules, outputs_read_outside(model, modules, images("unet", 1)), images("unet", 1)
    )
    assert [tuple(t.shape[1:]) for t in shapes.values()] == [
        (16, 16, 16), (32, 8, 8), (64, 4, 4), (128 + 256, 2, 2)
    ], "the lowest skip connection joins two levels"  # fmt: skip


def test_masks_and_features_shrink_with_the_memory():
    model, plugin = network("unet"), LatentReplay(budget=6, seed=3)
    parts = [slices(5, seed) for seed in (1, 2)]
    after(plugin, model, *parts)
    assert {k: len(v) for k, v in plugin.memory.items()} == {0: 3, 1: 3}
    for k, indices in plugin.memory.items():
        assert torch.equal(plugin.masks[k].long(), parts[k][1][indices])
        modules = outermost_modules(model, plugin.encoder.is_frozen)
        expected = encoder_outputs(model, modules, list(plugin.features[k]), parts[k][0][indices])
        for name, tensor in plugin.features[k].items():
            torch.testing.assert_close(tensor, expected[name], rtol=1e-2, atol=1e-2)


def test_a_memory_of_one_experience_alone_drops_what_the_other_had():
    plugin = LatentReplay(budget=1)
    after(plugin, network("unet"), slices(3, 1), slices(3, 2))
    assert plugin.memory.keys() == plugin.features.keys() == plugin.masks.keys() == {0}


def test_bytes_are_those_of_features_and_masks_not_of_images():
    plugin = LatentReplay(budget=2)
    after(plugin, network("unet"), slices(3, 1))
    floats = 16 * 16 * 16 + 32 * 8 * 8 + 64 * 4 * 4 + 128 * 2 * 2 + 256 * 2 * 2
    kept = memory_footprint(plugin, size=32)
    assert kept == {"kept_slices": 2, "kept_bytes": 2 * (2 * floats + 32 * 32)}


def test_its_state_can_be_restored():
    plugin, other = LatentReplay(budget=2), LatentReplay(budget=2)
    after(plugin, network("unet"), slices(3, 1))
    other.load_state_dict(copy.deepcopy(plugin.state_dict()))
    assert other.memory == plugin.memory
    assert all(torch.equal(other.masks[k], plugin.masks[k]) for k in plugin.masks)
    assert all(
        torch.equal(other.features[0][name], tensor) for name, tensor in plugin.features[0].items()
    )


def test_the_gradient_is_that_of_replaying_the_images_through_the_frozen_encoder():
    """Without augmentation, in eval mode, and but for float16, latent replay is replay."""
    from torch.nn.functional import cross_entropy

    model, plugin = network("unet"), LatentReplay(budget=3)
    old, new = slices(3, 1), slices(2, 2)
    after(plugin, model, old)
    chosen = plugin.memory[0]
    loader = SimpleNamespace(old=SimpleNamespace(drawn=[0, 1, 2]))
    loader.old.dataset = plugin.remembered(SimpleNamespace(adapted_dataset=[(new[0][0],)]))
    loop = SimpleNamespace(model=model, clock=SimpleNamespace(train_exp_counter=1))
    loop.dataloader, loop.mbatch = loader, [None, torch.cat([new[1], torch.zeros_like(old[1])])]
    loop.mb_y = loop.mbatch[1]
    plugin.encoder.freeze(model)
    plugin.memory_batch_size = 3
    plugin._stored = plugin.features[0]
    plugin.before_training_iteration(loop)
    assert torch.equal(loop.mbatch[1], torch.cat([new[1], old[1][chosen]]))

    plugin.before_forward(loop)
    mixed = model(torch.cat([new[0], torch.zeros(3, *new[0].shape[1:])]))
    plugin.after_forward(loop)
    replayed = model(torch.cat([new[0], old[0][chosen]]))
    trained = [p for p in model.parameters() if p.requires_grad]
    found, expected = (
        torch.autograd.grad(cross_entropy(logits, loop.mbatch[1]), trained)
        for logits in (mixed, replayed)
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0.05, atol=1e-3)
