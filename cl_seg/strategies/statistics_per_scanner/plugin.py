"""Batch norm with statistics of its own for every experience."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.shared.batch_norm import running_statistics


class StatisticsPerScanner(SupervisedPlugin):  # type: ignore[misc]
    """Every experience has running statistics of its own, used when it is scored.

    An experience that has not been learned yet is scored with those of the latest one. Weights and
    biases of batch norm are shared (Li et al. 2017, arXiv 1603.04779, adapt statistics alone).

    Args:
        seed: not used.

    Attributes:
        statistics: experience → buffer name → tensor.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()
        self.statistics: dict[int, dict[str, Tensor]] = {}
        self._of_training: dict[str, Tensor] = {}

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the statistics of the experience just learned."""
        self.statistics[strategy.experience.current_experience] = _copied(strategy.model)

    def before_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Load the statistics of the experience to be scored, in Avalanche's own evaluation."""
        self._of_training = _copied(strategy.model)
        self.load_scanner_statistics(strategy.model, strategy.experience.current_experience)

    def after_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Restore the statistics that training goes on with."""
        for name, tensor in running_statistics(strategy.model):
            tensor.copy_(self._of_training[name])

    @torch.no_grad()
    def load_scanner_statistics(self, model: nn.Module, experience: int) -> None:
        """Give a model the statistics of an experience, or those of the latest one learned."""
        if self.statistics:
            latest = max(self.statistics)
            kept = self.statistics.get(experience, self.statistics[latest])
            for name, tensor in running_statistics(model):
                tensor.copy_(kept[name])

    def state_dict(self) -> dict[str, Any]:
        """Tensors from which :meth:`load_state_dict` restores the statistics."""
        return {"statistics": {str(k): dict(v) for k, v in self.statistics.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the statistics."""
        self.statistics = {int(k): dict(v) for k, v in state["statistics"].items()}


def _copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in running_statistics(model)}
