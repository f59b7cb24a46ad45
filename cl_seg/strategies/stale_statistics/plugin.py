"""Batch norm with the statistics that each experience was learned with."""

from collections.abc import Iterable
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.shared.batch_norm import batch_norms, running_statistics
from cl_seg.strategies.shared.returning_scanner import scanner_position


class StaleStatistics(SupervisedPlugin):  # type: ignore[misc]
    """Every experience is scored with the running statistics from the end of its own training.

    They are stale: they match the weights of then, which later experiences have changed since. A
    control that shows how much; AdaBN estimates statistics for the weights as they are. An
    experience that has not been learned yet is scored with those of the latest one.

    Args:
        seed: not used.

    Attributes:
        statistics: first experience on a scanner → buffer name → tensor; replaced when it returns.
        latest: the one of them whose scanner was learned last.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()
        self.statistics: dict[int, dict[str, Tensor]] = {}
        self.latest = 0
        self._of_training: dict[str, Tensor] = {}

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network without batch norm."""
        batch_norms(model)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the statistics of the experience just learned."""
        self.latest = scanner_position(strategy.experience)
        self.statistics[self.latest] = _copied(strategy.model)

    def before_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Load the statistics of the experience to be scored, in Avalanche's own evaluation."""
        self._of_training = _copied(strategy.model)
        self.prepare_scoring(strategy.model, scanner_position(strategy.experience))

    def after_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Restore the statistics that training goes on with."""
        for name, tensor in running_statistics(strategy.model):
            tensor.copy_(self._of_training[name])

    @torch.no_grad()
    def prepare_scoring(
        self, model: nn.Module, experience: int, images: Iterable[Tensor] = ()
    ) -> None:
        """Give a model the statistics of an experience, or those of the latest one learned."""
        if self.statistics:
            kept = self.statistics.get(experience, self.statistics[self.latest])
            for name, tensor in running_statistics(model):
                tensor.copy_(kept[name])

    def state_dict(self) -> dict[str, Any]:
        """Tensors from which :meth:`load_state_dict` restores the statistics."""
        statistics = {str(k): dict(v) for k, v in self.statistics.items()}
        return {"statistics": statistics, "latest": self.latest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the statistics."""
        self.latest = int(state["latest"])
        self.statistics = {int(k): dict(v) for k, v in state["statistics"].items()}


def _copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in running_statistics(model)}
