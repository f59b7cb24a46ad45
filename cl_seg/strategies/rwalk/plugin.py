"""Riemannian walk: importance from a running Fisher information and a path score."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.training.plugins import SupervisedPlugin

from cl_seg.strategies.rwalk import RWalkSettings
from cl_seg.strategies.shared.path_integral import PathIntegral
from cl_seg.strategies.shared.quadratic_penalty import (
    Parameters,
    add_penalty,
    copied,
    snapshot,
    trained_parameters,
)


class RWalk(SupervisedPlugin):  # type: ignore[misc]
    """RWalk (Chaudhry et al. 2018, arXiv 1801.10112).

    With the gradient g of the training loss, penalty not included, every step updates (eq. 6)::

        F_k ← α g_k² + (1 − α) F_k
        ΔL_k ← ΔL_k − g_k · (θ_k after the step − θ_k before it)

    and every Δt steps and at the end, with Δθ_k the change in them (eq. 7)::

        s_k ← s_k + ΔL_k / (F_k Δθ_k² / 2 + ε),   ΔL_k ← 0

    At the end of an experience negative scores count as zero, the score is averaged with that of
    the experiences before, and F and s are divided by their largest value (eq. 8). The gradients
    are those of training, as in eq. 6, where Avalanche computes a second one of each batch in eval
    mode. Where F_k Δθ_k² / 2 is far below ε, as it is for nearly all weights of the networks here
    at the default, s is the plain path integral.

    Args:
        rwalk_lambda: λ of the penalty λ/2 · Σ_k (F_k + s_k) (θ_k − θ*_k)².
        fisher_share: α of eq. 6.
        every: Δt, steps between two updates of the score.
        damping: ε of eq. 7.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(
        self,
        *,
        rwalk_lambda: float = 1.0,
        fisher_share: float = 0.9,
        every: int = 10,
        damping: float = 2.0**-23,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.settings = RWalkSettings.of_keywords(
            rwalk_lambda=rwalk_lambda, fisher_share=fisher_share, every=every, damping=damping
        )
        self.fisher: Parameters = {}
        self.score: Parameters = {}
        self.importance: Parameters = {}
        self.centre: Parameters = {}
        self.new_score: Parameters = {}
        self.interval_start: Parameters = {}
        self.path = PathIntegral()
        self.steps = 0

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Begin a new score; the Fisher information goes on."""
        self.path.begin(strategy.model)
        self.interval_start = snapshot(strategy.model)
        self.new_score = {name: torch.zeros_like(p) for name, p in self.interval_start.items()}
        self.steps = 0

    @torch.no_grad()
    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Update the Fisher information, then add the gradient of the penalty."""
        self.path.before_penalty(strategy.model)
        squares = torch._foreach_mul(self.path.gradients, self.path.gradients)
        if self.fisher:
            share = self.settings.fisher_share
            fisher = [self.fisher[name] for name in self.path.omega]
            torch._foreach_mul_(fisher, 1 - share)
            torch._foreach_add_(fisher, squares, alpha=share)
        else:
            self.fisher = dict(zip(self.path.omega, squares, strict=True))
        weight = self.settings.rwalk_lambda
        add_penalty(self.path.parameters, self.centre, weight, self.importance)
        self.path.after_penalty()

    @torch.no_grad()
    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        """Add a step to the path, and the path to the score when it is time."""
        self.path.add_step()
        self.steps += 1
        if self.steps % self.settings.every == 0:
            self._add_to_score(trained_parameters(strategy.model))

    def _add_to_score(self, trained: dict[str, torch.nn.Parameter]) -> None:
        for name, omega in self.path.omega.items():
            change = trained[name] - self.interval_start[name]
            length = self.fisher[name] * change.pow(2) / 2
            self.new_score[name] += omega / (length + self.settings.damping)
            omega.zero_()
            self.interval_start[name] = trained[name].detach().clone()

    @torch.no_grad()
    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Turn Fisher information and score into importance."""
        if self.steps % self.settings.every:
            self._add_to_score(trained_parameters(strategy.model))
        for name, score in self.new_score.items():
            old, new = self.score.get(name), score.clamp(min=0)
            self.score[name] = new if old is None else (old + new) / 2
        scaled = [_at_most_one(part) for part in (self.fisher, self.score)]
        self.importance = {name: scaled[0][name] + scaled[1][name] for name in self.score}
        self.centre = snapshot(strategy.model)
        self.path, self.new_score, self.interval_start = PathIntegral(), {}, {}

    def state_dict(self) -> dict[str, Any]:
        """Tensors and numbers from which :meth:`load_state_dict` restores everything."""
        parts = {name: copied(getattr(self, name)) for name in SAVED_TENSORS}
        return {**parts, "omega": copied(self.path.omega), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore importance, Fisher information and the path so far."""
        for name in SAVED_TENSORS:
            setattr(self, name, dict(state[name]))
        self.path.restore(state["omega"])
        self.steps = int(state["steps"])


SAVED_TENSORS = ("fisher", "score", "importance", "centre", "new_score", "interval_start")


def _at_most_one(parts: Parameters) -> Parameters:
    largest = max(float(part.max()) for part in parts.values())
    return {name: part / largest if largest > 0 else part for name, part in parts.items()}
