"""Elastic weight consolidation on dense targets."""

from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.ewc import EWCSettings
from cl_seg.strategies.shared.fisher import batch_fisher, draw_images, fisher_information
from cl_seg.strategies.shared.importance import Scale, scaled
from cl_seg.strategies.shared.quadratic_penalty import (
    Parameters,
    penalised_parameters,
    trained_parameters,
)
from cl_seg.strategies.shared.sum_of_quadratics import add_quadratic


class EWC(SupervisedPlugin):  # type: ignore[misc]
    """EWC (Kirkpatrick et al. 2017, arXiv 1612.00796, eq. 3).

    From the second experience on the loss gains ``λ/2 · Σ_i Σ_k F_ik (θ_k − θ*_ik)²``, summed over
    the earlier experiences i. A sum of quadratics in θ_k is again one quadratic, so memory is two
    copies of the parameters, whatever the number of experiences::

        Σ_i F_i (θ − θ*_i)² = F (θ − θ*)² + c,   F = Σ F_i,   θ* = Σ F_i θ*_i / F

    The online mode keeps ``F ← γ F + F_i`` around the latest parameters (Schwarz et al. 2018,
    arXiv 1805.06370, eq. 9). Avalanche's EWCPlugin omits the factor 1/2: its λ is half of ours.

    The log-likelihood of an image is a sum over pixels while the training loss is a mean, so a
    useful λ is of the order of one over the number of pixels. ``importance="mean"`` removes this
    factor, and that of the network, by F_ik ← n F_ik / Σ_j F_ij with n parameters.

    Args:
        ewc_lambda: λ of the equation above.
        fisher: ``sampled``, ``empirical`` or ``batch`` estimate of the Fisher information.
        fisher_images: images it is estimated on, drawn at random; None for all.
        importance: ``raw``, or ``mean`` to divide that of each experience by its mean, see
            :func:`cl_seg.strategies.shared.importance.scaled`.
        mode: ``summed`` quadratics, or ``online``, which decays the older ones.
        decay: γ of the online mode, which needs it.
        seed: of the images and labels the Fisher is estimated on.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(
        self,
        *,
        ewc_lambda: float = 0.01,
        fisher: Literal["sampled", "empirical", "batch"] = "sampled",
        fisher_images: int | None = None,
        importance: Scale = "raw",
        mode: Literal["summed", "online"] = "summed",
        decay: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.settings = EWCSettings.of_keywords(
            ewc_lambda=ewc_lambda,
            fisher=fisher,
            fisher_images=fisher_images,
            importance=importance,
            mode=mode,
            decay=decay,
        )
        self.seed = seed
        self.fisher: Parameters = {}
        self.centre: Parameters = {}
        self.trained: dict[str, nn.Parameter] = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Find the trained parameters, once for all steps."""
        self.trained = trained_parameters(strategy.model)

    @torch.no_grad()
    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Add the gradient of the penalty."""
        for name, p, gradient, offset in penalised_parameters(self.trained, self.centre):
            # Not one addcmul: rounded like this it is what autograd gives wherever λ is a power of
            # two, bit for bit.
            offset.mul_(self.fisher[name])
            p.grad = torch.add(gradient, offset, alpha=self.settings.ewc_lambda, out=offset)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Estimate the Fisher information on the experience just learned."""
        model, dataset = strategy.model, strategy.experience.dataset.eval()
        if self.settings.fisher == "batch":
            fisher = batch_fisher(model, dataset, strategy._criterion, strategy.train_mb_size)
        else:
            entropy = (self.seed, strategy.experience.current_experience)
            images, generator = draw_images(len(dataset), self.settings.fisher_images, entropy)
            fisher = fisher_information(model, dataset, images, self.settings.fisher, generator)
        fisher = scaled(fisher, self.settings.importance)
        self._add_importance(fisher, dict(model.named_parameters()))

    @torch.no_grad()
    def _add_importance(self, fisher: Parameters, parameters: dict[str, Any]) -> None:
        if self.settings.decay is None:
            add_quadratic(self.fisher, self.centre, fisher, parameters)
            return
        for name, new in fisher.items():
            old = self.fisher.get(name)
            self.fisher[name] = new if old is None else self.settings.decay * old + new
            self.centre[name] = parameters[name].detach().clone()

    def state_dict(self) -> dict[str, Any]:
        """Tensors from which :meth:`load_state_dict` restores the penalty."""
        return {"fisher": dict(self.fisher), "mean": dict(self.centre)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the penalty."""
        self.fisher, self.centre = dict(state["fisher"]), dict(state["mean"])
