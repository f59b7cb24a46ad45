"""A step sees the same number of slices in every strategy, unless its settings ask for more."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
from avalanche.training.plugins import SupervisedPlugin
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.build import build_plugin
from cl_seg.strategies.registry import STRATEGIES
from cl_seg.training.contract.tiny_training import (
    EXPERIENCES,
    SETTINGS,
    _loop,
    _stream,
    random_experiences,
)

BATCH = SETTINGS.batch_size


class Network(nn.Sequential):
    """Has what a strategy may ask for: an encoder, a head, and batch norm."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 1))


class Counter(SupervisedPlugin):  # type: ignore[misc]
    """Counts the slices of every step before a strategy takes some of them out."""

    def __init__(self) -> None:
        super().__init__()
        self.slices: list[int] = []

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        self.slices.append(len(strategy.mbatch[0]))


def slices_of_steps(name: str, **settings: Any) -> list[list[int]]:
    """Of every step, by experience."""
    plugin, model, counted = build_plugin(name, settings, seed=0), Network(), []
    for position, experience in enumerate(_stream(random_experiences(16)), start=1):
        loop = _loop(SETTINGS, model, plugin, position)
        counter = Counter()
        loop.plugins.insert(0, counter)
        loop.train(experience, eval_streams=[])
        counted.append(counter.slices)
    return counted


SETTINGS_NEEDED = {name: {"encoder": "0"} for name in ("frozen_encoder", "latent_replay")}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_sees_a_batch_in_every_step(name: str) -> None:
    first, *later = slices_of_steps(name, **SETTINGS_NEEDED.get(name, {}))
    assert first == [BATCH] * SETTINGS.steps
    steps = 0 if name == "never_update" else SETTINGS.steps
    assert later == [[BATCH] * steps] * (EXPERIENCES - 1)
    assert sum(STRATEGIES[name].settings().slices_per_step(BATCH)) == BATCH


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("replay", {"batch": "added"}, 2 * BATCH),
        ("der", {"batch": "added", "batch_share": 0.75}, 4 * BATCH),
        ("agem", {"batch": "added", "reference_batch": 5}, BATCH + 5),
        ("agem", {"reference_batch": 1}, BATCH),
    ],
)
def test_a_step_sees_what_the_settings_say(
    name: str, settings: dict[str, Any], expected: int
) -> None:
    first, *later = slices_of_steps(name, **settings)
    assert first == [BATCH] * SETTINGS.steps, "nothing is remembered yet"
    assert later == [[expected] * SETTINGS.steps] * (EXPERIENCES - 1)
    assert sum(STRATEGIES[name].settings(**settings).slices_per_step(BATCH)) == expected


def test_a_reference_batch_that_leaves_no_new_slice_is_refused() -> None:
    with pytest.raises(InputError, match=f"at least {BATCH + 1}, or `batch: added`"):
        slices_of_steps("agem", reference_batch=BATCH)
