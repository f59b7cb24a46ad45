"""Networks that a strategy trains on a tiny stream, and those that it scores with."""

import copy
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor

from cl_seg.training.contract.strategy_under_test import StrategyUnderTest
from cl_seg.training.contract.tiny_training import random_experiences, train_on

State = dict[str, Tensor]


def states_after_each(strategy: StrategyUnderTest) -> tuple[list[State], list[list[State]]]:
    """The trained network after each experience, and then the one that scores each of them."""
    experiences = random_experiences(strategy.size)
    trained, scored = [], []
    for loop, plugin in train_on(strategy, experiences):
        trained.append(_state(loop))
        scored.append([])
        for k, (images, _) in enumerate(experiences):
            plugin.prepare_scoring(loop.model, k, [images])
            scored[-1].append(_state(loop))
            loop.model.load_state_dict(trained[-1])
    return trained, scored


def assert_same(a: Any, b: Any) -> None:
    """Nested dictionaries with the same names, tensors (bit for bit) and numbers."""
    if not isinstance(a, dict):
        assert torch.equal(a, b) if isinstance(a, Tensor) else a == b
        return
    assert a.keys() == b.keys()
    for name in a:
        assert_same(a[name], b[name])


def _state(loop: Any) -> State:
    state: State = copy.deepcopy(loop.model.state_dict())
    return state
