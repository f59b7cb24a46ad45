"""Adapters: they fold exactly, leave the first scanner's weights, and resume exactly."""

import copy

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cl_seg.runtime.serialise import from_bytes, to_bytes
from cl_seg.strategies.shared.low_rank import LowRank, adaptable_layers, attach, detach, folded
from cl_seg.strategies.shared.normalisation import normalisation_tensors
from cl_seg.training.checkpoint import TrainingStopped
from cl_seg.training.contract.checks import resumes_from_saved_state
from cl_seg.training.contract.strategy_under_test import strategy_under_test
from cl_seg.training.contract.tiny_training import (
    EXPERIENCES,
    random_experiences,
    train_from_files,
    train_on,
)

from ..conftest import tiny_network
from .scanner_streams import assert_same, states_after_each

SETTINGS = [{}, {"rank": 1}, {"route": "nearest"}]


def strategy(**settings):
    return strategy_under_test("adapters", settings, tiny_network, 32)


def layers_of_all_kinds():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, groups=2),
        nn.ConvTranspose2d(4, 3, 2, stride=2),
        nn.Linear(8, 5),
    )


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6))
def test_folding_is_explicit_addition(rows, columns, rank):
    generator = torch.Generator().manual_seed(rows * columns + rank)
    weight = torch.randn(rows, columns, 2, 1, generator=generator)
    adapter = LowRank(weight, rank, generator)
    assert torch.equal(adapter(weight), weight), "B is zero at first"
    with torch.no_grad():
        adapter.b.copy_(torch.randn(adapter.b.shape, generator=generator))
    a, b = adapter.a.detach(), adapter.b.detach()
    product = torch.einsum("ir,rj->ij", b, a)
    assert torch.linalg.matrix_rank(product) <= min(rank, rows, 2 * columns)
    expected = weight + product.reshape(weight.shape)
    torch.testing.assert_close(adapter(weight), expected)
    assert torch.equal(folded(weight, b, a), adapter(weight))


def test_a_folded_network_is_the_adapted_one_bit_for_bit():
    model = layers_of_all_kinds()
    plain = copy.deepcopy(model.state_dict())
    layers = adaptable_layers(model)
    attach(layers, 2, torch.Generator().manual_seed(0))
    for layer in layers.values():
        nn.init.normal_(layer.parametrizations.weight[0].b)
    image = torch.randn(2, 2, 4, 4)
    with torch.no_grad():
        adapted = model(image)
        adapters = detach(layers)
        assert torch.equal(model(image), adapted)
    assert model.state_dict().keys() == plain.keys()
    for name in layers:
        assert torch.equal(
            model.state_dict()[name],
            plain[name] + (adapters[f"{name}.b"] @ adapters[f"{name}.a"]).view_as(plain[name]),
        )


def test_the_same_weights_under_autocast():
    weight = torch.randn(4, 3)
    adapter = LowRank(weight, 2, torch.Generator().manual_seed(0))
    nn.init.normal_(adapter.b)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under_autocast = adapter(weight)
    assert torch.equal(under_autocast, adapter(weight))


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_scanner_is_scored_as_it_was_learned(settings):
    states, scored = states_after_each(strategy(**settings))
    for k, network in enumerate(scored[-1]):
        assert_same(network, states[k])


def test_all_that_moves_is_normalisation_and_low_rank():
    states, _ = states_after_each(strategy(rank=1))
    layers = adaptable_layers(tiny_network()).keys()
    own = normalisation_tensors(tiny_network()).keys()
    for name in states[0]:
        for later in states[1:]:
            change = later[name] - states[0][name]
            assert bool(change.any()) == (name in layers | own)
            if name in layers:
                # Of the rounded weight: of rank 1 but for rounding.
                singular = torch.linalg.svdvals(change.flatten(1))
                assert (singular[1:] < 1e-3 * singular[0]).all()


def test_the_optimiser_has_the_adapters_and_the_normalisation_alone():
    for position, (loop, _) in enumerate(train_on(strategy(), random_experiences(32))):
        trained = {id(p) for group in loop.optimizer.param_groups for p in group["params"]}
        if position:
            norm = [m for m in loop.model if isinstance(m, nn.BatchNorm2d)]
            assert {id(p) for m in norm for p in m.parameters()} <= trained
            assert len(trained) == 2 + 2 * len(adaptable_layers(loop.model))


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_resumes_exactly(settings):
    tested = strategy(**settings)
    resumes_from_saved_state(tested)
    *_, (_, whole) = train_on(tested, random_experiences(32))
    weights, state = to_bytes(tested.make_model().state_dict()), None
    for position in range(1, EXPERIENCES + 1):
        try:
            train_from_files(tested, position, weights, state, {})
        except TrainingStopped as stopped:
            loop, plugin = train_from_files(tested, position, weights, state, stopped.args[0])
        weights, state = to_bytes(loop.model.state_dict()), to_bytes(plugin.state_dict())
    assert_same(from_bytes(state), whole.state_dict())
