"""Parameters of every scanner's own, and the choice of those that a case is scored with."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import Tensor, nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.shared.estimated_statistics import UnaugmentedImages
from cl_seg.strategies.shared.feature_statistics import (
    feature_statistics,
    first_convolution,
    squared_distance,
)
from cl_seg.strategies.shared.returning_scanner import scanner_position

Tensors = dict[str, Tensor]
Route = Literal["known", "nearest"]
SAVED = ("parameters", "features", "first_filters")


class ScannerScoring(SupervisedPlugin, ABC):  # type: ignore[misc]
    """Base of plugins that keep parameters of every scanner and score a case with those of one.

    A scanner that the stream returns to takes its parameters up again. By the route ``known`` a
    case is scored with the parameters of its own scanner, or with those of the latest one where its
    scanner has not been learned yet. By ``nearest`` nobody says where the case comes from: its
    unlabelled images decide. With μ and σ the means and standard deviations of the channels of the
    network's first convolution, as the first scanner left its filters, the case is scored with the
    parameters of the scanner s with the least squared 2-Wasserstein distance, between diagonal
    Gaussians::

        d²(case, s) = Σ_c (μ_c − μ_sc)² + (σ_c − σ_sc)²

    Args:
        route: ``known`` or ``nearest``.

    Attributes:
        parameters: first experience on a scanner → name → tensor; replaced when it returns.
        latest: the one of them whose scanner was learned last.
        features: likewise → μ and σ of its training images, (2, C); by ``nearest`` alone.
        first_filters: weight and bias of that convolution after the first experience, for
            ``nearest``.
        taken_route: the one of them whose parameters the latest case was scored with.
    """

    def __init__(self, route: Route) -> None:
        super().__init__()
        self.route = route
        self.parameters: dict[int, Tensors] = {}
        self.latest = 0
        self.features: dict[int, Tensor] = {}
        self.first_filters: Tensors = {}
        self.taken_route: int | None = None
        self._trained: Tensors = {}

    @abstractmethod
    def load(self, model: nn.Module, parameters: Tensors) -> None:
        """Give a model the parameters of one scanner, in place."""

    def take_up(self, strategy: Any) -> Tensors:
        """Give the model the parameters kept of a scanner that returns.

        Returns:
            Those parameters, by names the model need not have; empty of a new scanner.
        """
        kept = self.parameters.get(scanner_position(strategy.experience), {})
        strategy.model.load_state_dict(kept, strict=False)
        return kept

    def keep(self, strategy: Any, parameters: Tensors) -> None:
        """Keep the parameters of the experience just learned, and what it is recognised by."""
        experience = scanner_position(strategy.experience)
        self.latest = experience
        self.parameters[experience] = parameters
        if self.route == "nearest":
            convolution = first_convolution(strategy.model)
            self.first_filters = self.first_filters or copy.deepcopy(convolution.state_dict())
            images = _images(strategy)
            self.features[experience] = feature_statistics(convolution, self.first_filters, images)

    def prepare_scoring(
        self, model: nn.Module, experience: int, images: Iterable[Tensor] = ()
    ) -> None:
        """Give a model the parameters that a case is scored with.

        Args:
            model: as it was trained on the latest experience.
            experience: position (from 0) of the first experience on the scanner of the case.
            images: of the case, batches (B, 1, S, S) on the device of the model; ``nearest`` alone
                looks at them.
        """
        if self.parameters:
            told = self.route == "known"
            self.taken_route = self._known(experience) if told else self._nearest(model, images)
            self.load(model, self.parameters[self.taken_route])

    def _known(self, experience: int) -> int:
        return experience if experience in self.parameters else self.latest

    def _nearest(self, model: nn.Module, images: Iterable[Tensor]) -> int:
        found = feature_statistics(first_convolution(model), self.first_filters, images)
        return min(self.features, key=lambda k: squared_distance(found, self.features[k]))

    def before_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Load the parameters for an experience, in Avalanche's own evaluation."""
        self._trained = copy.deepcopy(strategy.model.state_dict())
        experience = scanner_position(strategy.experience)
        self.prepare_scoring(strategy.model, experience, _images(strategy))

    def after_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Restore the network that training goes on with."""
        strategy.model.load_state_dict(self._trained)

    def state_dict(self) -> dict[str, Any]:
        """Tensors from which :meth:`load_state_dict` restores what is kept of every scanner."""
        return {"latest": self.latest, **{name: dict(getattr(self, name)) for name in SAVED}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what is kept of every scanner."""
        self.latest = int(state["latest"])
        for name in SAVED:
            setattr(self, name, dict(state[name]))


def _images(strategy: Any) -> UnaugmentedImages:
    device = next(strategy.model.parameters()).device
    return UnaugmentedImages(strategy.experience.dataset, device)
