"""Avalanche plugins as somebody else might write them, named in suites as module:Class."""

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


class NoPlugin:
    """Something else."""
