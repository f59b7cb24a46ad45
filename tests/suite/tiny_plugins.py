"""Avalanche plugins as somebody else might write them, named in suites as module:Class."""

import copy
from typing import Any

import numpy as np
import torch
from avalanche.training.plugins import SupervisedPlugin


class Anchor(SupervisedPlugin):
    """Pulls the parameters to where the experience before left them, and draws noise.

    Keeps no state_dict: what it knows is lost with the process.
    """

    def __init__(self, strength: float = 0.1) -> None:
        super().__init__()
        self.strength = strength
        self.anchor: dict[str, torch.Tensor] = {}
        self.noise = float(np.random.rand())  # noqa: NPY002

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        strategy.loss = strategy.loss * (1 + 0.1 * self.noise * float(torch.rand(())))
        for name, parameter in strategy.model.named_parameters():
            if name in self.anchor:
                strategy.loss += self.strength * (parameter - self.anchor[name]).pow(2).sum()

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        parameters = strategy.model.named_parameters()
        self.anchor = {name: p.detach().clone() for name, p in parameters}


class KeptAnchor(Anchor):
    """The same, with what it needs to go on from a file."""

    def state_dict(self) -> dict[str, Any]:
        return {"anchor": self.anchor, "noise": self.noise}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.anchor, self.noise = state["anchor"], state["noise"]


class Unkeepable(KeptAnchor):
    """Its state holds an object."""

    def state_dict(self) -> dict[str, Any]:
        return {"anchor": self}


class Forgetful(KeptAnchor):
    """Its state lacks the anchor."""

    def state_dict(self) -> dict[str, Any]:
        return {"anchor": {}, "noise": self.noise}


class NoPlugin:
    """Something else."""


class Replacing(SupervisedPlugin):
    """Trains a copy of the network instead of the one it was given, and otherwise nothing."""

    def before_train_dataset_adaptation(self, strategy: Any, **kwargs: Any) -> None:
        strategy.model = copy.deepcopy(strategy.model)


class Wrapping(SupervisedPlugin):
    """Puts the network into another one."""

    def before_train_dataset_adaptation(self, strategy: Any, **kwargs: Any) -> None:
        strategy.model = torch.nn.Sequential(strategy.model)


class Idle(SupervisedPlugin):
    """Does nothing."""


class Clocked(SupervisedPlugin):
    """Weighs the loss by what Avalanche's clock says."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        clock = strategy.clock
        now = clock.train_exp_iterations + clock.train_epoch_iterations / 3
        self.seen.append(clock.train_iterations)
        strategy.loss = strategy.loss * (0.2 + now / 12 + clock.train_iterations / 36)
        assert self.seen == list(range(len(self.seen))), "the clock runs on"

    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen = state["seen"]
