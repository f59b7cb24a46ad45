"""Synaptic intelligence: importance from the path the parameters took."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.shared.importance import Scale, scaled
from cl_seg.strategies.shared.path_integral import PathIntegral
from cl_seg.strategies.shared.quadratic_penalty import Parameters, add_penalty, copied, snapshot
from cl_seg.strategies.si import SISettings


class SI(SupervisedPlugin):  # type: ignore[misc]
    """SI (Zenke et al. 2017, arXiv 1703.04200).

    While an experience is trained, every step adds to the path integral of each parameter
    (eq. 3, with the gradient g of the training loss, penalty not included)::

        ω_k ← ω_k − g_k · (θ_k after the step − θ_k before it)

    and at its end, with Δ_k the change of the parameter in it (eq. 5)::

        Ω_k ← Ω_k + max(0, ω_k / (Δ_k² + ξ))

    Where ω is negative the parameter counts as unimportant, or else the penalty could have no
    minimum. The authors' code rectifies the sum over
    experiences instead, so that a negative term there takes importance away.

    Args:
        si_lambda: λ of the penalty λ/2 · Σ_k Ω_k (θ_k − θ*_k)².
        damping: ξ of eq. 5.
        importance: ``raw``, or ``mean`` to divide that of each experience by its mean, see
            :func:`cl_seg.strategies.shared.importance.scaled`.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(
        self,
        *,
        si_lambda: float = 1.0,
        damping: float = 0.001,
        importance: Scale = "raw",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.settings = SISettings.of_keywords(
            si_lambda=si_lambda, damping=damping, importance=importance
        )
        self.importance: Parameters = {}
        self.centre: Parameters = {}
        self.start: Parameters = {}
        self.path = PathIntegral()

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Begin a new path."""
        self.start = snapshot(strategy.model)
        self.path.begin(strategy.model)

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Note the gradient of the training loss, then add that of the penalty."""
        self.path.before_penalty(strategy.model)
        add_penalty(self.path.parameters, self.centre, self.settings.si_lambda, self.importance)
        self.path.after_penalty()

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        """Add a step to the path."""
        self.path.add_step()

    @torch.no_grad()
    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Turn the path into importance."""
        self.centre = snapshot(strategy.model)
        new: Parameters = {}
        for name, omega in self.path.omega.items():
            change = self.centre[name] - self.start[name]
            new[name] = omega.div_(change.square_().add_(self.settings.damping)).clamp_(min=0)
        for name, importance in scaled(new, self.settings.importance).items():
            self.importance[name] = importance.add_(self.importance.get(name, 0.0))
        self.path, self.start = PathIntegral(), {}

    def state_dict(self) -> dict[str, Any]:
        """Tensors from which :meth:`load_state_dict` restores importance and the path so far."""
        parts = {name: copied(getattr(self, name)) for name in SAVED_TENSORS}
        return {**parts, "omega": copied(self.path.omega)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore importance and path."""
        for name in SAVED_TENSORS:
            setattr(self, name, dict(state[name]))
        self.path.restore(state["omega"])


SAVED_TENSORS = ("importance", "centre", "start")
