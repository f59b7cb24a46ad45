"""The mean of weights before and after, and the moving average, against their equations."""

import copy
import math
from itertools import count

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.weight_averaging.plugin import WeightAveraging
from cl_seg.training.checkpoint import CheckpointPlugin, TrainingStopped, read_checkpoint

from ..conftest import weights
from ..training.conftest import make_loop, tagged_benchmark
from .conftest import flat, train_on_digits


class Weights(SupervisedPlugin):
    """The weights and buffers after every step, one list per experience."""

    def __init__(self):
        super().__init__()
        self.seen = {}

    def after_update(self, strategy, **kwargs):
        here = self.seen.setdefault(strategy.experience.current_experience, [])
        here.append(copy.deepcopy(strategy.model.state_dict()))


def trained(*plugins, experiences=2, model=None):
    """States after each experience, and of every step."""
    torch.manual_seed(0)
    noted = Weights()
    loop = make_loop(model, [*plugins, noted], steps=4)
    states = []
    for experience in tagged_benchmark([5, 5, 5][:experiences]).train_stream:
        loop.train(experience, eval_streams=[])
        states.append(copy.deepcopy(loop.model.state_dict()))
    return states, noted.seen


@pytest.mark.parametrize("share", [0.0, 0.25, 0.8, 1.0])
def test_the_average_is_that_of_the_equation(share):
    before, after = flat(train_on_digits([], 1)), flat(train_on_digits([], 2))
    found = flat(train_on_digits([WeightAveraging(share=share)], 2))
    torch.testing.assert_close(found, (1 - share) * before + share * after)
    if share in (0, 1):
        assert torch.equal(found, after if share else before)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_buffers_too_are_those_before_or_after_bit_for_bit(share):
    (before, after), _ = trained()
    _, found = trained(WeightAveraging(share=share))[0]
    expected = after if share else before
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_running_statistics_are_averaged_and_counts_rounded():
    (before, after), _ = trained()
    _, found = trained(WeightAveraging(share=0.25))[0]
    for name in ("1.running_mean", "1.running_var"):
        torch.testing.assert_close(found[name], 0.75 * before[name] + 0.25 * after[name])
    assert [int(s["1.num_batches_tracked"]) for s in (before, after, found)] == [4, 8, 5]


def test_the_next_experience_starts_from_the_average():
    states, _ = trained(WeightAveraging(share=0.0), experiences=3)
    assert all(torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_moving_average_of_every_step():
    states, steps = trained(WeightAveraging(share=0.5, ema=0.7))
    moving = states[0]["0.weight"]
    for step in steps[1]:
        moving = 0.7 * moving + 0.3 * step["0.weight"]
    expected = 0.5 * states[0]["0.weight"] + 0.5 * moving
    torch.testing.assert_close(states[1]["0.weight"], expected)
    assert torch.equal(states[0]["0.weight"], steps[0][-1]["0.weight"]), "not the first experience"


@pytest.mark.parametrize("at", [2, 4])
def test_stopped_within_or_after_the_last_step_it_goes_on_to_the_same_average(tmp_path, at):
    experience, file, steps = tagged_benchmark([5, 5]).train_stream[1], tmp_path / "c.pt", count(1)

    def train(*plugins):
        averaging = WeightAveraging(share=0.5, ema=0.7)
        torch.manual_seed(0)
        loop = make_loop(None, [averaging, *plugins], steps=4, position=2, steps_before=4)
        loop.checkpoint = read_checkpoint(file)
        loop.train(experience, eval_streams=[])
        return weights(loop.model)

    whole = train()
    with pytest.raises(TrainingStopped):
        train(CheckpointPlugin(file, math.inf, lambda: next(steps) == at))
    assert torch.equal(train(), whole)


def test_recounted_statistics_are_those_of_the_averaged_weights():
    states, _ = trained(WeightAveraging(share=0.5, recount_statistics=True))
    (before, after), _ = trained()
    images = torch.cat([x[None] for x, *_ in tagged_benchmark([5, 5]).train_stream[1].dataset])
    network = nn.Conv2d(1, 6, 3, padding=1)
    network.load_state_dict(
        {k: 0.5 * (before[f"0.{k}"] + after[f"0.{k}"]) for k in network.state_dict()}
    )
    inputs = network(images).detach().double().numpy()
    for name, of in (("1.running_mean", np.mean), ("1.running_var", np.var)):
        np.testing.assert_allclose(states[1][name], of(inputs, axis=(0, 2, 3)), rtol=1e-4)


def test_recounting_draws_nothing_at_random_and_needs_batch_norm():
    drawn = []
    for recount in (False, True):
        trained(WeightAveraging(recount_statistics=recount))
        drawn.append(torch.rand(3))
    assert torch.equal(*drawn)
    with pytest.raises(InputError, match="no batch norm"):
        trained(WeightAveraging(recount_statistics=True), model=nn.Conv2d(1, 3, 1))
