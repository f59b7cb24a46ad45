"""Frozen statistics do not move; each scanner is scored with its own."""

from types import SimpleNamespace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.frozen_statistics.plugin import FrozenStatistics
from cl_seg.strategies.shared.batch_norm import running_statistics
from cl_seg.strategies.stale_statistics.plugin import StaleStatistics


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))


def at(model, position):
    return SimpleNamespace(
        model=model,
        clock=SimpleNamespace(train_exp_counter=position - 1),
        experience=SimpleNamespace(current_experience=position - 1),
    )


def statistics(model):
    return {name: tensor.clone() for name, tensor in running_statistics(model)}


def equal(a, b):
    return all(torch.equal(a[n], b[n]) for n in a)


@pytest.mark.parametrize(("position", "moves"), [(1, True), (2, False), (3, False)])
def test_frozen_from_the_second_experience_on(position, moves):
    plugin, model = FrozenStatistics(), network().train()
    before = statistics(model)
    for _ in range(3):
        plugin.before_forward(at(model, position))
        model(torch.randn(4, 1, 3, 3) + 5)
    assert equal(before, statistics(model)) != moves
    assert model.training and model[1].weight.requires_grad


def learned(plugin, model, experiences):
    kept = []
    for k in range(experiences):
        model.train()
        model(torch.randn(4, 1, 3, 3) + 10 * k)
        plugin.after_training_exp(at(model, k + 1))
        kept.append(statistics(model))
    return kept


def test_every_experience_is_scored_with_its_own():
    plugin, model = StaleStatistics(), network()
    kept = learned(plugin, model, 3)
    for k in (0, 2, 1):
        plugin.before_eval_exp(at(model, k + 1))
        assert equal(statistics(model), kept[k])
    plugin.before_eval_exp(at(model, 8))  # not learned yet
    assert equal(statistics(model), kept[2])
    plugin.before_eval_exp(at(model, 1))
    plugin.after_eval_exp(at(model, 1))
    assert equal(statistics(model), kept[2])


def test_state_survives_a_file(tmp_path):
    plugin, model = StaleStatistics(), network()
    kept = learned(plugin, model, 2)
    torch.save(plugin.state_dict(), tmp_path / "bn.pt")
    other = StaleStatistics()
    other.load_state_dict(torch.load(tmp_path / "bn.pt", weights_only=True))
    other.prepare_scoring(model, 0)
    assert equal(statistics(model), kept[0])


@pytest.mark.parametrize("make", [FrozenStatistics, StaleStatistics])
def test_a_network_without_batch_norm_is_refused(make):
    model = nn.Conv2d(1, 1, 1)
    plugin = make()
    with pytest.raises(InputError, match="no batch norm"):
        plugin.before_forward(at(model, 2))
        plugin.after_training_exp(at(model, 2))


def test_an_evaluation_during_training_changes_nothing():
    plugin, model = StaleStatistics(), network()
    learned(plugin, model, 1)
    model(torch.randn(4, 1, 3, 3) + 30)
    live = statistics(model)
    plugin.before_eval_exp(at(model, 1))
    assert not equal(live, statistics(model))
    plugin.after_eval_exp(at(model, 1))
    assert equal(live, statistics(model))
