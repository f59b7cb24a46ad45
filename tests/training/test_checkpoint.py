"""A training stopped anywhere and resumed from its checkpoint ends as if it had not been."""

import hashlib
from itertools import count

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from avalanche.training.plugins import SupervisedPlugin

from cl_seg.runtime.serialise import from_bytes, to_bytes
from cl_seg.spec.settings import Training
from cl_seg.spec.style import StyleAugmentation
from cl_seg.strategies.ewc.plugin import EWC
from cl_seg.strategies.replay.plugin import Replay
from cl_seg.training.checkpoint import CheckpointPlugin, TrainingStopped, read_checkpoint
from cl_seg.training.experience import (
    augmentation_config,
    experience_loop,
    loop_settings,
    train_experience,
)
from cl_seg.training.seeds import derive_seeds

from ..conftest import SCANNERS, WINDOW, tiny_network, weights

TRAINING = Training(steps=11, batch_size=4, flip=True, shift_hu=20)
STYLES = {name: {"probability": 0.5} for name in ("gin", "amplitude_mix", "kernel_noise")}
STYLED = TRAINING.model_copy(update={"augment": StyleAugmentation(**STYLES)})


class GlobalNoise(SupervisedPlugin):
    """Draws from every global generator, as a plugin of somebody else's might."""

    def __init__(self):
        super().__init__()
        self.draws = []

    def before_backward(self, strategy, **kwargs):
        drawn = float(torch.rand(())) + np.random.rand()  # noqa: NPY002
        self.draws.append(drawn)
        strategy.loss = strategy.loss * (1 + drawn)

    def state_dict(self):
        return {"draws": list(self.draws)}

    def load_state_dict(self, state):
        self.draws = list(state["draws"])


PLUGINS = {
    "naive": lambda: [],
    "replay": lambda: [Replay(budget=5, seed=3)],
    "ewc": lambda: [EWC(ewc_lambda=10.0, fisher_images=4, seed=3)],
    "noise": lambda: [GlobalNoise()],
}


def loop_at(position, model, plugins, training=TRAINING):
    return experience_loop(
        model,
        derive_seeds(0, position, SCANNERS[position - 1]),
        loop_settings(training, 1e-2, [training.steps] * position),
        augmentation_config(training, WINDOW),
        plugins,
    )


def learn_first(benchmark, name):
    model, plugins = tiny_network(), PLUGINS[name]()
    train_experience(loop_at(1, model, plugins), benchmark.train_stream[0])
    return to_bytes({"model": model.state_dict(), "plugins": [p.state_dict() for p in plugins]})


def second_stage(benchmark, name, first, *more, checkpoint=None, training=TRAINING):
    state = from_bytes(first)
    model, plugins = tiny_network(seed=5), PLUGINS[name]()
    model.load_state_dict(state["model"])
    for plugin, kept in zip(plugins, state["plugins"], strict=True):
        plugin.load_state_dict(kept)
    loop = loop_at(2, model, [*plugins, *more], training)
    loop.checkpoint = checkpoint or {}
    train_experience(loop, benchmark.train_stream[1])
    return weights(model), [to_bytes(p.state_dict()) for p in plugins]


@pytest.mark.parametrize("name", PLUGINS)
@pytest.mark.parametrize("stops", [[1], [3], [10], [11], [2, 3, 9]])
def test_resume_is_exact(benchmark, tmp_path, name, stops):
    first = learn_first(benchmark, name)
    whole, kept = second_stage(benchmark, name, first)
    file, checkpoint, steps = tmp_path / "checkpoint.pt", None, 0
    for stop in stops:
        steps = 0 if checkpoint is None else checkpoint["step"]

        def asked(stop=stop):
            nonlocal steps
            steps += 1
            return steps == stop

        with pytest.raises(TrainingStopped):
            saving = CheckpointPlugin(file, 1e9, asked)
            second_stage(benchmark, name, first, saving, checkpoint=checkpoint)
        checkpoint = read_checkpoint(file)
        assert checkpoint["step"] == stop
    resumed, kept_resumed = second_stage(benchmark, name, first, checkpoint=checkpoint)
    assert torch.equal(whole, resumed)
    assert kept == kept_resumed


@pytest.mark.parametrize("stop", [1, 4, 10])
def test_resume_draws_the_same_styles(benchmark, tmp_path, stop):
    first = learn_first(benchmark, "replay")
    whole, _ = second_stage(benchmark, "replay", first, training=STYLED)
    assert not torch.equal(whole, second_stage(benchmark, "replay", first)[0])
    file, steps = tmp_path / "checkpoint.pt", count(1)
    saving = CheckpointPlugin(file, 1e9, lambda: next(steps) == stop)
    with pytest.raises(TrainingStopped):
        second_stage(benchmark, "replay", first, saving, training=STYLED)
    checkpoint = read_checkpoint(file)
    assert checkpoint["step"] == stop
    resumed, _ = second_stage(benchmark, "replay", first, checkpoint=checkpoint, training=STYLED)
    assert torch.equal(whole, resumed)


def test_tensors_come_back_to_where_they_were(tmp_path):
    content = to_bytes({"here": torch.ones(2), "there": torch.empty(2, device="meta")})
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(hashlib.sha256(content).digest() + content)
    found = read_checkpoint(file)
    assert [found[name].device.type for name in ("here", "there")] == ["cpu", "meta"]


class Impatient(SupervisedPlugin):
    """Ends an experience after its fifth step."""

    def after_training_iteration(self, strategy, **kwargs):
        if strategy.step == 5:
            strategy.stop_training()


def test_a_training_that_was_ending_is_ended(benchmark, tmp_path):
    first = learn_first(benchmark, "naive")
    whole, _ = second_stage(benchmark, "naive", first, Impatient())
    with pytest.raises(TrainingStopped):
        steps = count(1)
        saving = CheckpointPlugin(tmp_path / "checkpoint.pt", 1e9, lambda: next(steps) == 5)
        second_stage(benchmark, "naive", first, Impatient(), saving)
    checkpoint = read_checkpoint(tmp_path / "checkpoint.pt")
    assert checkpoint["step"] == 5 and checkpoint["seconds"] > 0
    resumed, _ = second_stage(benchmark, "naive", first, Impatient(), checkpoint=checkpoint)
    assert torch.equal(whole, resumed)


def test_checkpoints_do_not_change_training(benchmark, tmp_path):
    first = learn_first(benchmark, "replay")
    whole, _ = second_stage(benchmark, "replay", first)
    saving = CheckpointPlugin(tmp_path / "checkpoint.pt", 0, lambda: False)
    saved, _ = second_stage(benchmark, "replay", first, saving)
    assert torch.equal(whole, saved)
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == TRAINING.steps


@pytest.mark.parametrize("cut", [0, 10, -1])
def test_damage_is_noticed(cut):
    content = to_bytes({"a": torch.arange(100)})
    with pytest.raises(ValueError, match="not a saved state"):
        from_bytes(content[:cut])


def test_a_damaged_checkpoint_is_not_used(benchmark, tmp_path):
    first, file = learn_first(benchmark, "naive"), tmp_path / "checkpoint.pt"
    second_stage(benchmark, "naive", first, CheckpointPlugin(file, 0, lambda: False))
    whole = file.read_bytes()
    assert read_checkpoint(file)
    for place in range(0, len(whole), len(whole) // 25):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        file.write_bytes(damaged)
        assert read_checkpoint(file) == {}, place
    file.write_bytes(whole[:100])
    assert read_checkpoint(file) == {}
    assert read_checkpoint(tmp_path / "none.pt") == {}


def test_no_code_is_unpickled():
    class Payload:
        def __reduce__(self):
            return print, ("executed",)

    with pytest.raises(ValueError, match="not a saved state"):
        from_bytes(to_bytes({"a": Payload()}))
