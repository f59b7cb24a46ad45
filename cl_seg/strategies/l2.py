"""The plainest penalty: stay near the weights of the stage before."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from avalanche.training.plugins import SupervisedPlugin

from cl_seg.strategies.quadratic import Parameters, add_gradient, snapshot, trained_parameters
from cl_seg.strategies.settings import L2Settings


class L2(SupervisedPlugin):  # type: ignore[misc]
    """Adds λ/2 · Σ_k (θ_k − θ*_k)² from the second experience on.

    θ* are the weights the experience starts from. A control: EWC, SI and MAS must beat it to show
    that their importances carry information.

    Args:
        settings: λ.
        seed: not used.
    """

    def __init__(self, settings: L2Settings, seed: int = 0) -> None:
        super().__init__()
        self.settings, self.seed = settings, seed
        self.start: Parameters = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Remember where the experience starts."""
        later = strategy.clock.train_exp_counter > 0
        self.start = snapshot(strategy.model) if later else {}

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Add the gradient of the penalty."""
        add_gradient(trained_parameters(strategy.model), self.start, self.settings.l2_lambda)
