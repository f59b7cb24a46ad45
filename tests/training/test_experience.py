"""A stage depends on its place and the state before it, on nothing else."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training.plugins import EWCPlugin, SupervisedPlugin

from cl_seg.spec.settings import Training
from cl_seg.strategies.ewc.plugin import EWC
from cl_seg.strategies.replay.plugin import Replay
from cl_seg.training.augmentation import AugmentationConfig
from cl_seg.training.experience import (
    augmentation_config,
    experience_loop,
    loop_settings,
    train_experience,
)
from cl_seg.training.loop import LoopSettings
from cl_seg.training.seeds import derive_seeds
from cl_seg.training.style.style import Style

from ..conftest import SCANNERS, WINDOW, tiny_network, weights

TRAINING = Training(steps=6, batch_size=4, flip=True, shift_hu=20)
STRATEGIES = {
    "naive": lambda: [],
    "replay": lambda: [Replay(budget=5, seed=3)],
    "ewc": lambda: [EWC(ewc_lambda=10.0, fisher_images=4, seed=3)],
    "ewc online": lambda: [EWC(ewc_lambda=10.0, mode="online", decay=0.9, seed=3)],
    "ewc batch": lambda: [EWC(ewc_lambda=1e4, fisher="batch", seed=3)],
}


def train(model, benchmark, position, plugins=(), seed=0, selection=None):
    loop = experience_loop(
        model,
        derive_seeds(seed, position, selection or SCANNERS[position - 1]),
        loop_settings(TRAINING, 1e-2, [TRAINING.steps] * position),
        augmentation_config(TRAINING, WINDOW),
        list(plugins),
    )
    train_experience(loop, benchmark.train_stream[position - 1])
    return weights(model)


def stream(benchmark, name, stages=3):
    model, plugins = tiny_network(), STRATEGIES[name]()
    return [train(model, benchmark, k, plugins) for k in range(1, stages + 1)]


def test_seeds_are_independent():
    stages = [(s, p, n) for s in (0, 1, 2) for p in (0, 1, 2) for n in SCANNERS]
    seeds = [value for stage in stages for value in derive_seeds(*stage).values()]
    assert len(set(seeds)) == len(seeds) == len(stages) * 3
    assert all(0 <= s < 2**63 for s in seeds)
    assert derive_seeds(*stages[4]) == derive_seeds(0, 1, "beta")


def test_seeds_are_those_of_committed_results():
    assert derive_seeds(3, 2, "beta") == {
        "global": 3445009471015777239,
        "order": 8781393749815929402,
        "augmentation": 7875567560323722536,
    }


def test_settings_are_handed_on():
    training = Training(
        steps=9, batch_size=3, weight_decay=0.2, warmup=0.5, gradient_clip=2, precision="bfloat16"
    )
    expected = LoopSettings(
        steps=30, batch_size=3, learning_rate=0.1, weight_decay=0.2, warmup=0.5, gradient_clip=2,
        autocast=True, position=3, steps_before=21,
    )  # fmt: skip
    assert loop_settings(training, 0.1, [10, 11, 30]) == expected
    assert not loop_settings(Training(steps=1), 0.1, [30]).autocast


def test_intensity_shift_is_in_units_of_the_window():
    config = augmentation_config(TRAINING, WINDOW)
    assert config == AugmentationConfig(rotate_degrees=10.0, scale=0.1, flip=True, shift=20 / 400)


def test_style_is_handed_on_where_there_is_one():
    on, off = ({"gin": {"probability": p}} for p in (0.5, 0))
    chosen = Training(steps=1, augment=on)
    assert augmentation_config(chosen, WINDOW).style == Style(chosen.augment, window_width_hu=400)
    assert augmentation_config(Training(steps=1, augment=off), WINDOW).style is None


def test_what_ran_before_does_not_matter(benchmark):
    first = train(tiny_network(), benchmark, 1)
    torch.manual_seed(99)
    torch.rand(17)
    model = tiny_network()
    torch.rand(3)
    assert torch.equal(first, train(model, benchmark, 1))


@pytest.mark.parametrize("change", [{"seed": 1}, {"selection": "elsewhere"}])
def test_place_matters(benchmark, change):
    first = train(tiny_network(), benchmark, 1)
    assert not torch.equal(first, train(tiny_network(), benchmark, 1, **change))


def test_strategies_share_the_first_stage_and_part_in_the_second(benchmark):
    runs = {name: stream(benchmark, name, stages=2) for name in STRATEGIES}
    naive = runs.pop("naive")
    for name, run in runs.items():
        assert torch.equal(run[0], naive[0]), name
        assert not torch.equal(run[1], naive[1]), name


def test_ewc_of_no_weight_is_naive(benchmark):
    model, plugins = tiny_network(), [EWC(ewc_lambda=0.0, seed=3)]
    results = [train(model, benchmark, k, plugins) for k in (1, 2)]
    naive = stream(benchmark, "naive", stages=2)
    assert all(torch.equal(a, b) for a, b in zip(results, naive, strict=True))


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_stage_can_start_from_files(benchmark, tmp_path, name):
    whole = stream(benchmark, name)
    file = tmp_path / "state.pt"
    for position in (1, 2, 3):
        model, plugins = tiny_network(seed=8 * (position > 1)), STRATEGIES[name]()
        if position > 1:
            state = torch.load(file, weights_only=True)
            model.load_state_dict(state["model"])
            for plugin, kept in zip(plugins, state["plugins"], strict=True):
                plugin.load_state_dict(kept)
        result = train(model, benchmark, position, plugins)
        assert torch.equal(result, whole[position - 1])
        plugin_states = [p.state_dict() for p in plugins]
        torch.save({"model": model.state_dict(), "plugins": plugin_states}, file)


def test_clock_starts_at_the_position(benchmark):
    class Clocked(SupervisedPlugin):
        times = ()

        def before_backward(self, strategy, **kwargs):
            self.times = (*self.times, strategy.clock.train_exp_counter)

        def after_training_exp(self, strategy, **kwargs):
            self.times = (*self.times, strategy.clock.train_exp_counter)

    for position in (1, 3):
        plugin = Clocked()
        train(tiny_network(), benchmark, position, [plugin])
        assert set(plugin.times) == {position - 1} and len(plugin.times) == TRAINING.steps + 1


def test_avalanches_own_ewc_reads_that_clock(benchmark):
    plugin, model = EWCPlugin(1e4), tiny_network()
    results = [train(model, benchmark, k, [plugin]) for k in (1, 2, 3)]
    assert sorted(plugin.importances) == [0, 1, 2]
    naive = stream(benchmark, "naive")
    assert torch.equal(results[0], naive[0]) and not torch.equal(results[1], naive[1])


def test_more_plugins_do_not_disturb(benchmark):
    class Idle(SupervisedPlugin):
        pass

    assert torch.equal(
        train(tiny_network(), benchmark, 1, [Idle()]), train(tiny_network(), benchmark, 1)
    )
