"""Normalisation layers of every scanner's own."""

from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.strategies.norm_per_scanner import NormPerScannerSettings
from cl_seg.strategies.shared.fisher import draw_images, fisher_information
from cl_seg.strategies.shared.normalisation import normalisation_tensors
from cl_seg.strategies.shared.quadratic_penalty import Parameters, add_penalty, trained_parameters
from cl_seg.strategies.shared.scanner_scoring import ScannerScoring, Tensors
from cl_seg.strategies.shared.sum_of_quadratics import add_quadratic


class NormPerScanner(ScannerScoring):
    """Domain-specific normalisation over shared filters (Karani et al. 2018, arXiv 1805.10170).

    The network that a training leaves has the normalisation of its scanner, which a new one starts
    from; a scanner that returns starts from its own. Before a case is scored, weights, biases and
    running statistics become those of the scanner that ``route`` chooses. Layers without weights,
    as MONAI's instance norm, stay shared.

    Args:
        filters: ``frozen``, ``ewc`` or ``free``: what all other parameters do after the first
            experience.
        ewc_lambda: λ of EWC's penalty λ/2 · Σ_i Σ_k F_ik (θ_k − θ*_ik)² on them, with the Fisher
            information of sampled labels on all images of each earlier experience; for
            ``filters="ewc"``, which needs it.
        route: ``known`` or ``nearest``.
        seed: of the labels the Fisher is estimated on.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(
        self,
        *,
        filters: Literal["frozen", "ewc", "free"] = "frozen",
        ewc_lambda: float | None = None,
        route: Literal["known", "nearest"] = "known",
        seed: int = 0,
    ) -> None:
        self.settings = NormPerScannerSettings.of_keywords(
            filters=filters, ewc_lambda=ewc_lambda, route=route
        )
        super().__init__(self.settings.route)
        self.seed = seed
        self.fisher: Parameters = {}
        self.centre: Parameters = {}

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network whose normalisation layers have no parameters."""
        _of_scanner(model)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Freeze the filters where asked for, from the second experience on.

        A scanner that returns takes its normalisation up again.

        Raises:
            InputError: no normalisation layer of the network has parameters.
        """
        own = _of_scanner(strategy.model)
        self.take_up(strategy)
        if self.settings.filters == "frozen" and strategy.clock.train_exp_counter > 0:
            for name, parameter in strategy.model.named_parameters():
                if name not in own:
                    parameter.requires_grad_(False)

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Add the gradient of EWC's penalty."""
        if self.settings.ewc_lambda is not None:
            trained = trained_parameters(strategy.model)
            add_penalty(trained, self.centre, self.settings.ewc_lambda, self.fisher)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the normalisation of the experience just learned, and the Fisher of the filters.

        Raises:
            InputError: no normalisation layer of the network has parameters.
        """
        own = _of_scanner(strategy.model)
        self.keep(strategy, {name: tensor.clone() for name, tensor in own.items()})
        if self.settings.filters == "ewc":
            fisher = self._fisher(strategy)
            filters = {name: value for name, value in fisher.items() if name not in own}
            parameters = dict(strategy.model.named_parameters())
            add_quadratic(self.fisher, self.centre, filters, parameters)

    def _fisher(self, strategy: Any) -> Parameters:
        dataset = strategy.experience.dataset.eval()
        entropy = (self.seed, strategy.experience.current_experience)
        images, generator = draw_images(len(dataset), None, entropy)
        return fisher_information(strategy.model, dataset, images, "sampled", generator)

    def load(self, model: nn.Module, parameters: Tensors) -> None:
        """Give a model the normalisation of one scanner, in place."""
        model.load_state_dict(parameters, strict=False)

    def state_dict(self) -> dict[str, Any]:
        """Tensors from which :meth:`load_state_dict` restores normalisation and penalty."""
        return {**super().state_dict(), "fisher": dict(self.fisher), "centre": dict(self.centre)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore normalisation and penalty."""
        super().load_state_dict(state)
        self.fisher, self.centre = dict(state["fisher"]), dict(state["centre"])


def _of_scanner(model: nn.Module) -> Tensors:
    own = normalisation_tensors(model)
    if not own.keys() & dict(model.named_parameters()).keys():
        raise InputError(
            f"{type(model).__name__} has no normalisation layer with parameters, as every scanner "
            "would have of its own; leave norm_per_scanner out for this network"
        )
    return own
