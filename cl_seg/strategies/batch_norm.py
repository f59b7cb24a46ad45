"""Two controls for networks with batch norm, whose running statistics alone can forget."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cl_seg.messages.errors import InputError
from cl_seg.strategies.settings import Settings

BATCH_NORM = _BatchNorm


class FrozenStatistics(SupervisedPlugin):  # type: ignore[misc]
    """Batch norm normalises by the statistics of the first experience from the second one on.

    Args:
        settings: none.
        seed: not used.
    """

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        super().__init__()
        self.settings, self.seed = settings, seed

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Put batch norm in eval mode, from the second experience on."""
        if strategy.clock.train_exp_counter > 0:
            for _, module in batch_norms(strategy.model):
                module.eval()


class StatisticsPerScanner(SupervisedPlugin):  # type: ignore[misc]
    """Every experience has running statistics of its own, used when it is scored.

    An experience that has not been learned yet is scored with those of the latest one. Weights and
    biases of batch norm are shared (Li et al. 2017, arXiv 1603.04779, adapt statistics alone).

    Args:
        settings: none.
        seed: not used.

    Attributes:
        statistics: experience → buffer name → tensor.
    """

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        super().__init__()
        self.settings, self.seed = settings, seed
        self.statistics: dict[int, dict[str, Tensor]] = {}
        self._live: dict[str, Tensor] = {}

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the statistics of the experience just learned."""
        kept = {name: tensor.clone() for name, tensor in running_statistics(strategy.model)}
        self.statistics[strategy.experience.current_experience] = kept

    def before_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Put in the statistics of the experience to be scored, in Avalanche's own evaluation."""
        self._live = {name: tensor.clone() for name, tensor in running_statistics(strategy.model)}
        self.load_scanner_statistics(strategy.model, strategy.experience.current_experience)

    def after_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Put back those that training goes on with."""
        for name, tensor in running_statistics(strategy.model):
            tensor.copy_(self._live[name])

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


@contextmanager
def kept_statistics(model: nn.Module) -> Iterator[None]:
    """Forward passes in this context leave the running statistics of batch norm as they are."""
    tracking = [m for m in model.modules() if isinstance(m, BATCH_NORM) and m.track_running_stats]
    for module in tracking:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in tracking:
            module.track_running_stats = True


def batch_norms(model: nn.Module) -> list[tuple[str, _BatchNorm]]:
    """Names and modules of a network's batch norm.

    Raises:
        InputError: it has none, so that nothing could be controlled.
    """
    found = [(n, m) for n, m in model.named_modules() if isinstance(m, BATCH_NORM)]
    if not found:
        raise InputError(
            f"{type(model).__name__} has no batch norm: strategies that control its statistics "
            "have no effect; leave them out for this network"
        )
    return found


def running_statistics(model: nn.Module) -> list[tuple[str, Tensor]]:
    """Names and buffers of the running statistics of a network's batch norm."""
    return [
        (f"{name}.{buffer}", tensor)
        for name, module in batch_norms(model)
        for buffer, tensor in module.named_buffers(recurse=False)
    ]
