"""Normalisation per scanner: its closed form, what filters do, and exact resuming."""

import copy
from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training import Naive
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.runtime.serialise import from_bytes, to_bytes
from cl_seg.strategies.norm_per_scanner.plugin import NormPerScanner
from cl_seg.strategies.shared.fisher import draw_images, fisher_information
from cl_seg.strategies.shared.normalisation import normalisation_tensors
from cl_seg.training.contract.checks import resumes_from_saved_state
from cl_seg.training.contract.strategy_under_test import strategy_under_test
from cl_seg.training.contract.tiny_training import random_experiences, train_on

from ..conftest import tiny_network
from .conftest import plain_benchmark
from .scanner_streams import assert_same, states_after_each

SETTINGS = [{}, {"filters": "free"}, {"filters": "ewc", "ewc_lambda": 1.0}, {"route": "nearest"}]


def strategy(**settings):
    return strategy_under_test("norm_per_scanner", settings, tiny_network, 32)


GAINS = [(2.0, -1.0), (-0.5, 3.0), (1.5, 0.25)]
"""Slope and offset of every scanner's targets in normalised intensities."""


def contradicting_scanners():
    """Images a u + b of the same u, and targets γ z + β of their normalised intensities z."""
    u = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    z = (u - u.mean((2, 3), keepdim=True)) / u.std((2, 3), correction=0, keepdim=True)
    return [((1 + k) * u + 3 * k, gain * z + offset) for k, (gain, offset) in enumerate(GAINS)]


def one_layer():
    norm = nn.InstanceNorm2d(1, eps=0.0, affine=True)
    network = nn.Sequential(nn.Conv2d(1, 1, 1), norm)
    nn.init.constant_(network[0].weight, 0.7)
    return network


@pytest.mark.parametrize("route", ["known", "nearest"])
def test_the_joint_optimum_of_a_layer_of_filters_and_one_of_normalisation(route):
    """The loss is Σ_s (γ_s − gain_s)² + (β_s − offset_s)²: zero, by every scanner's own γ and β.

    Half a gradient step on the mean of squares is a step of Newton's, which solves it.
    """
    parts, model = contradicting_scanners(), one_layer()
    plugin = NormPerScanner(route=route)
    loop = Naive(
        model=model, optimizer=torch.optim.SGD(model.parameters(), 0.5), train_mb_size=6,
        criterion=nn.MSELoss(), train_epochs=3, plugins=[plugin], evaluator=None,
    )  # fmt: skip
    for experience in plain_benchmark(parts).train_stream:
        loop.train(experience)
    for k, (images, targets) in enumerate(parts):
        plugin.prepare_scoring(model, k, [images])
        assert plugin.taken_route == k
        torch.testing.assert_close(model(images).detach(), targets, atol=1e-4, rtol=1e-4)
        found = (model[1].weight.item(), model[1].bias.item())
        assert found == pytest.approx(GAINS[k], abs=1e-4)


def test_frozen_filters_stay_and_every_scanner_is_scored_as_it_was_learned():
    states, scored = states_after_each(strategy())
    own = normalisation_tensors(tiny_network())
    for name in states[0].keys() - own.keys():
        assert torch.equal(states[0][name], states[2][name])
    for name in own:
        assert not torch.equal(states[0][name], states[2][name])
    for k, network in enumerate(scored[-1]):
        assert_same(network, states[k])


def test_a_scanner_that_is_not_learned_yet_is_scored_as_the_latest():
    states, scored = states_after_each(strategy())
    assert_same(scored[0][2], states[0])
    assert_same(scored[1][2], states[1])


def test_a_new_scanner_starts_from_the_normalisation_before():
    model = tiny_network()
    before = copy.deepcopy(model.state_dict())
    NormPerScanner().before_training_exp(at(model, 1))
    assert_same(model.state_dict(), before)


def test_a_scanner_that_returns_starts_from_its_own_normalisation():
    first, later = tiny_network(0), tiny_network(1)
    own, others = normalisation_tensors(first), normalisation_tensors(later)
    for tensor in (*own.values(), *others.values()):
        tensor.copy_(10 * torch.rand(tensor.shape))
    plugin = NormPerScanner()
    for k, network in enumerate((first, later)):
        plugin.after_training_exp(at(network, k))
    assert plugin.latest == 1
    back = at(later, 2)
    back.experience.first_position = 0
    kept = copy.deepcopy(own)
    plugin.before_training_exp(back)
    assert_same(dict(normalisation_tensors(later)), kept)
    plugin.after_training_exp(back)
    assert set(plugin.parameters) == {0, 1} and plugin.latest == 0
    model = tiny_network(2)
    plugin.prepare_scoring(model, 7)
    assert_same(dict(normalisation_tensors(model)), kept), "not learned yet: as the latest"


def at(model, experience):
    clock = SimpleNamespace(train_exp_counter=experience)
    where = SimpleNamespace(current_experience=experience)
    return SimpleNamespace(model=model, clock=clock, experience=where)


def test_free_filters_move_and_a_strong_penalty_holds_them_alone():
    own = normalisation_tensors(tiny_network())

    def moved(**settings):
        states, _ = states_after_each(strategy(**settings))
        change = {n: float((states[2][n] - states[0][n]).float().norm()) for n in states[0]}
        norm = sum(change[n] for n in own)
        return norm, sum(change.values()) - norm

    free, frozen = moved(filters="free"), moved()
    held = moved(filters="ewc", ewc_lambda=1e6)
    assert free[1] > 0 == frozen[1]
    assert 0 < held[1] < 0.5 * free[1]
    assert min(norm for norm, _ in (free, frozen, held)) > 0


def test_ewcs_penalty_is_the_sum_of_quadratics_of_the_filters():
    tested = strategy(filters="ewc", ewc_lambda=3.0)
    by_hand, experiences = [], random_experiences(32)
    for k, (loop, plugin) in enumerate(train_on(tested, experiences)):  # noqa: B007
        data = list(zip(*experiences[k], strict=True))
        images, generator = draw_images(len(data), None, (1, k))
        fisher = fisher_information(loop.model, data, images, "sampled", generator)
        by_hand.append((fisher, {n: p.detach().clone() for n, p in loop.model.named_parameters()}))
    model = loop.model
    model.zero_grad()
    own = normalisation_tensors(model)
    quadratics = sum(
        (fisher[name] * (p - optimum[name]) ** 2).sum()
        for fisher, optimum in by_hand
        for name, p in model.named_parameters()
        if name not in own
    )
    (3.0 / 2 * quadratics).backward()
    expected = {n: torch.zeros_like(p) if n in own else p.grad for n, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    plugin.after_backward(SimpleNamespace(model=model))
    for name, p in model.named_parameters():
        torch.testing.assert_close(p.grad, expected[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_resumes_exactly(settings):
    resumes_from_saved_state(strategy(**settings))


@pytest.mark.parametrize("settings", SETTINGS)
def test_state_survives_a_file(settings):
    experiences = random_experiences(32)
    *_, (loop, plugin) = train_on(strategy(**settings), experiences)
    restored = strategy(**settings).make_plugin()
    restored.load_state_dict(from_bytes(to_bytes(plugin.state_dict())))
    for k, (images, _) in enumerate(experiences):
        plugin.prepare_scoring(loop.model, k, [images])
        expected = copy.deepcopy(loop.model.state_dict())
        loop.model.load_state_dict(tiny_network(seed=1).state_dict() | _filters(expected))
        restored.prepare_scoring(loop.model, k, [images])
        assert restored.taken_route == plugin.taken_route
        assert_same(loop.model.state_dict(), expected)
    assert_same(restored.state_dict(), plugin.state_dict())


def _filters(state):
    return {
        name: t for name, t in state.items() if name not in normalisation_tensors(tiny_network())
    }


def test_avalanches_own_evaluation_leaves_the_network_as_it_was():
    loop, plugin = list(train_on(strategy(), random_experiences(32)))[-1]
    trained = copy.deepcopy(loop.model.state_dict())
    loop.experience = SimpleNamespace(current_experience=0, dataset=None)
    loop.experience.dataset = SimpleNamespace(eval=lambda: [])
    plugin.before_eval_exp(loop)
    assert any(not torch.equal(t, trained[n]) for n, t in loop.model.state_dict().items())
    plugin.after_eval_exp(loop)
    assert_same(loop.model.state_dict(), trained)


def groups():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.LayerNorm(30))


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (one_layer, {"1.weight", "1.bias"}),
        (groups, {"1.weight", "1.bias", "2.weight", "2.bias"}),
        (
            tiny_network,
            {f"1.{x}" for x in ("weight", "bias", "running_mean", "running_var")}
            | {"1.num_batches_tracked"},
        ),
    ],
)
def test_what_is_a_scanners_own(network, names):
    assert set(normalisation_tensors(network())) == names


@pytest.mark.parametrize(
    ("name", "preset", "size", "refused"),
    [
        ("vnet", "small", 32, False),
        ("vnet", "small_instance", 32, False),
        ("unet", "small", 32, True),
        ("unet", "small_batch", 32, False),
        ("unetr", "small", 32, False),
        ("swin_unetr", "small", 64, False),
    ],
)
def test_networks_without_weights_in_their_normalisation_are_refused(name, preset, size, refused):
    model = build_model(name, preset, {}, 3, size)
    if refused:
        with pytest.raises(InputError, match="no normalisation layer with parameters"):
            NormPerScanner().before_training_exp(at(model, 0))
    else:
        NormPerScanner().before_training_exp(at(model, 1))
        trained = {n for n, p in model.named_parameters() if p.requires_grad}
        assert (
            trained == normalisation_tensors(model).keys() & dict(model.named_parameters()).keys()
        )
