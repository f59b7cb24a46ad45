"""The path integral of SI and RWalk: how much each parameter has lowered the loss."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn

from cl_seg.strategies.shared.quadratic_penalty import Parameters, trained_parameters


class PathIntegral:
    """ω_k = − Σ g_k · (θ_k after a step − θ_k before it) over steps (Zenke et al. 2017, eq. 3).

    g is the gradient of the training loss alone: :meth:`note_gradient` is called after the backward
    pass, then a penalty may put gradients of its own in place of those of the model, then
    :meth:`keep_gradient`, since clipping changes the model's in place.

    Attributes:
        omega: ω by name.
        trained: the parameters by name, those of ``omega``.
        gradients: g of the latest step, in the order of ``omega``.
    """

    def __init__(self) -> None:
        self.omega: Parameters = {}
        self.trained: dict[str, nn.Parameter] = {}
        self.gradients: list[Tensor] = []
        # Kept from step to step, as the names are: to make them in every step costs time.
        self._before: list[Tensor] = []
        self._copies: list[Tensor] = []

    def begin(self, model: nn.Module) -> None:
        """Begin at the model as it is."""
        trained = trained_parameters(model)
        self.omega = {name: torch.zeros_like(p.detach()) for name, p in trained.items()}
        self._follow(model)

    def _follow(self, model: nn.Module) -> None:
        parameters = dict(model.named_parameters())
        self.trained = {name: parameters[name] for name in self.omega}
        self._before = [torch.empty_like(p) for p in self.trained.values()]
        self._copies = [torch.zeros_like(p) for p in self.trained.values()]

    @torch.no_grad()
    def note_gradient(self, model: nn.Module) -> None:
        """Note gradients and weights before a step; no gradient counts as zero."""
        if not self.trained:  # of a state that was restored
            self._follow(model)
        torch._foreach_copy_(self._before, list(self.trained.values()))
        self.gradients = [
            copy.zero_() if p.grad is None else p.grad
            for copy, p in zip(self._copies, self.trained.values(), strict=True)
        ]

    @torch.no_grad()
    def keep_gradient(self) -> None:
        """Copy what was noted and still is the model's gradient, before clipping changes it."""
        for place, p in enumerate(self.trained.values()):
            if p.grad is self.gradients[place]:
                self.gradients[place] = self._copies[place].copy_(p.grad)

    @torch.no_grad()
    def add_step(self) -> None:
        """Add the step from the noted weights to the present ones; overwrites those noted."""
        torch._foreach_sub_(self._before, list(self.trained.values()))
        torch._foreach_addcmul_(list(self.omega.values()), self._before, self.gradients)
