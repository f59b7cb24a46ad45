"""No training after the first experience."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from cl_seg.runtime.avalanche import SupervisedPlugin


class NeverUpdate(SupervisedPlugin):  # type: ignore[misc]
    """Stops the training on every experience after the first one before its first step.

    Nothing of the network changes, the running statistics of batch norm neither. A control: a
    strategy that is worse than it on all scanners together would better not have trained.

    Args:
        seed: not used.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Stop, from the second experience on."""
        if strategy.clock.train_exp_counter > 0:
            strategy.stop_training()
