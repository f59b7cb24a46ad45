"""Statistics of a convolution's output, distances between them, and the scanner they choose."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.norm_per_scanner.plugin import NormPerScanner
from cl_seg.strategies.shared.feature_statistics import (
    feature_statistics,
    first_convolution,
    squared_distance,
)
from cl_seg.training.contract.strategy_under_test import strategy_under_test
from cl_seg.training.contract.tiny_training import random_experiences, train_on

from ...conftest import tiny_network


def images(count, shift=0.0, seed=0):
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) + shift


def convolution():
    torch.manual_seed(0)
    return nn.Conv2d(1, 3, 3, padding=1)


def test_they_are_those_of_all_images_at_once_whatever_the_batches():
    conv, all_images = convolution(), images(7)
    features = conv(all_images).double().transpose(0, 1).flatten(1)
    expected = torch.stack([features.mean(1), features.std(1, correction=0)])
    for sizes in ([7], [3, 3, 1], [1] * 7):
        found = feature_statistics(conv, conv.state_dict(), all_images.split(sizes))
        torch.testing.assert_close(found, expected.detach())


def test_given_filters_are_used_and_the_layers_own_stay():
    conv, other = convolution(), nn.Conv2d(1, 3, 3, padding=1)
    before = conv.weight.detach().clone()
    found = feature_statistics(conv, other.state_dict(), [images(2)])
    assert torch.equal(found, feature_statistics(other, other.state_dict(), [images(2)]))
    assert torch.equal(conv.weight, before)


def test_equal_images_have_no_spread():
    conv = convolution()
    nn.init.constant_(conv.weight, 0.0)
    found = feature_statistics(conv, conv.state_dict(), [images(2)])
    torch.testing.assert_close(found[0], conv.bias.detach().double())
    assert not found[1].any()


numbers = st.lists(st.floats(0, 10), min_size=3, max_size=3)


@given(numbers, numbers, numbers, numbers)
def test_distance_is_that_of_sorted_samples(means_a, spreads_a, means_b, spreads_b):
    """In one dimension the optimal transport of equally many samples pairs them in their order."""
    a, b = (
        torch.tensor(x, dtype=torch.float64) for x in ([means_a, spreads_a], [means_b, spreads_b])
    )
    quantiles = torch.linspace(0.0005, 0.9995, 1000, dtype=torch.float64)
    normal = torch.special.ndtri(quantiles)
    normal = (normal - normal.mean()) / normal.std(correction=0)
    samples = [x[0][:, None] + x[1][:, None] * normal for x in (a, b)]
    transported = float((samples[0] - samples[1]).square().mean(1).sum())
    assert squared_distance(a, b) == pytest.approx(transported, rel=1e-6, abs=1e-9)
    assert squared_distance(a, b) == squared_distance(b, a)
    assert squared_distance(a, a) == 0


def test_the_nearest_scanner_is_the_one_of_the_same_intensities():
    tested = strategy_under_test("norm_per_scanner", {"route": "nearest"}, tiny_network, 32)
    experiences = random_experiences(32)  # each darker than the one before
    *_, (loop, plugin) = train_on(tested, experiences)
    for k, (seen, _) in enumerate(experiences):
        for shift in (-0.01, 0.01):
            plugin.prepare_scoring(loop.model, 0, seen.split(2) if shift < 0 else [seen + shift])
            assert plugin.taken_route == k
    plugin.prepare_scoring(loop.model, 0, [experiences[0][0] + 5])  # of no scanner that is known
    assert plugin.taken_route == 0


@pytest.mark.parametrize("filters", ["free", "frozen"])
def test_routes_do_not_follow_filters_that_move(filters):
    settings = {"route": "nearest", "filters": filters}
    tested = strategy_under_test("norm_per_scanner", settings, tiny_network, 32)
    kept = []
    for loop, plugin in train_on(tested, random_experiences(32)):
        kept.append((first_convolution(loop.model).weight.detach().clone(), dict(plugin.features)))
    moved = not torch.equal(kept[0][0], kept[2][0])
    assert moved == (filters == "free")
    assert torch.equal(plugin.first_filters["weight"], kept[0][0])
    assert all(torch.equal(kept[0][1][0], features[0]) for _, features in kept)


def test_a_network_without_convolutions_is_refused():
    with pytest.raises(InputError, match=r"no convolution.*`route: known`"):
        first_convolution(nn.Linear(3, 3))


def test_nothing_is_looked_at_where_the_scanner_is_known():
    tested = strategy_under_test("norm_per_scanner", {}, tiny_network, 32)
    *_, (loop, plugin) = train_on(tested, random_experiences(32))
    plugin.prepare_scoring(loop.model, 1)
    assert plugin.taken_route == 1 and not plugin.features and not plugin.first_filters


def test_before_anything_is_learned_nothing_is_loaded():
    plugin, model = NormPerScanner(), tiny_network()
    plugin.prepare_scoring(model, 0, [])
    assert plugin.taken_route is None
