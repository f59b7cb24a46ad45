"""Batch norm with the statistics of the first experience."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.shared.batch_norm import batch_norms


class FrozenStatistics(SupervisedPlugin):  # type: ignore[misc]
    """Batch norm normalises by the statistics of the first experience from the second one on.

    Args:
        seed: not used.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network without batch norm."""
        batch_norms(model)

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Put batch norm in eval mode, from the second experience on."""
        if strategy.clock.train_exp_counter > 0:
            for _, module in batch_norms(strategy.model):
                module.eval()
