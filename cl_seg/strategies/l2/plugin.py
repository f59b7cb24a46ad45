"""A quadratic penalty with equal weights."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from avalanche.training.plugins import SupervisedPlugin
from torch import nn

from cl_seg.strategies.l2 import L2Settings
from cl_seg.strategies.shared.quadratic_penalty import (
    Parameters,
    add_penalty,
    snapshot,
    trained_parameters,
)


class L2(SupervisedPlugin):  # type: ignore[misc]
    """Adds λ/2 · Σ_k (θ_k − θ*_k)² from the second experience on.

    θ* are the weights the experience starts from. A control: EWC, SI and MAS must beat it to show
    that their importances carry information.

    Args:
        l2_lambda: λ of the equation above.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(self, *, l2_lambda: float = 0.01, seed: int = 0) -> None:
        super().__init__()
        self.settings = L2Settings.of_keywords(l2_lambda=l2_lambda)
        self.centre: Parameters = {}
        self.trained: dict[str, nn.Parameter] = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Take the weights that the experience starts from as θ*."""
        self.trained = trained_parameters(strategy.model)
        later = strategy.clock.train_exp_counter > 0
        self.centre = snapshot(strategy.model) if later else {}

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Add the gradient of the penalty."""
        add_penalty(self.trained, self.centre, self.settings.l2_lambda)
