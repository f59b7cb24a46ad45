"""Networks that are adapted to unlabelled images before they are scored on them."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.shared.estimated_statistics import UnaugmentedImages


class AdaptedScoring(SupervisedPlugin, ABC):  # type: ignore[misc]
    """Base of plugins that take no part in training and adapt the network to what is scored.

    Avalanche's own evaluation adapts it to the images of an experience, and puts it back.
    """

    def __init__(self) -> None:
        super().__init__()
        self._trained: dict[str, Tensor] = {}

    @abstractmethod
    def require_network(self, model: nn.Module) -> None:
        """Refuse a network that has no part to adapt.

        Raises:
            InputError: saying which.
        """

    @abstractmethod
    def prepare_scoring(self, model: nn.Module, experience: int, images: Iterable[Tensor]) -> None:
        """Adapt a trained network to the images it is about to be scored on, in place.

        Args:
            model: (B, 1, S, S) images → (B, C, S, S) logits, as it was trained.
            experience: position (from 0) of the experience that the images belong to.
            images: batches (B, 1, S, S) on its device, to be iterated over several times.

        Raises:
            InputError: the network has no part to adapt.
        """

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Refuse before a training what could not be scored after it."""
        self.require_network(strategy.model)

    def before_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Adapt to the images of an experience, in Avalanche's own evaluation."""
        self._trained = copy.deepcopy(strategy.model.state_dict())
        images = UnaugmentedImages(strategy.experience.dataset, strategy.device)
        with torch.enable_grad():
            self.prepare_scoring(strategy.model, strategy.experience.current_experience, images)

    def after_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Put back the network as it was trained."""
        strategy.model.load_state_dict(self._trained)
