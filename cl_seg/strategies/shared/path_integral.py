"""The path integral of SI and RWalk: how much each parameter has lowered the loss."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn

from cl_seg.strategies.shared.quadratic_penalty import Parameters, trained_parameters


class PathIntegral:
    """ω_k = − Σ g_k · (θ_k after a step − θ_k before it) over steps (Zenke et al. 2017, eq. 3).

    g is the gradient of the training loss alone. Call :meth:`before_penalty` right after the
    backward pass. Then a penalty may replace the model's gradients. Then call
    :meth:`after_penalty`, before clipping changes the model's gradients in place.

    Attributes:
        omega: ω by name.
        parameters: the trained parameters by name, those of ``omega``.
        gradients: g of the latest step, in the order of ``omega``.
    """

    def __init__(self) -> None:
        self.omega: Parameters = {}
        self.parameters: dict[str, nn.Parameter] = {}
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
        named = dict(model.named_parameters())
        self.parameters = {name: named[name] for name in self.omega}
        self._before = [torch.empty_like(p) for p in self.parameters.values()]
        self._copies = [torch.zeros_like(p) for p in self.parameters.values()]

    @torch.no_grad()
    def before_penalty(self, model: nn.Module) -> None:
        """Take down gradients and weights before a step; no gradient counts as zero."""
        if not self.parameters:  # of a state that was restored
            self._follow(model)
        torch._foreach_copy_(self._before, list(self.parameters.values()))
        self.gradients = [
            copy.zero_() if p.grad is None else p.grad
            for copy, p in zip(self._copies, self.parameters.values(), strict=True)
        ]

    @torch.no_grad()
    def after_penalty(self) -> None:
        """Copy the gradients that no penalty has replaced, before clipping changes them."""
        for index, p in enumerate(self.parameters.values()):
            if p.grad is self.gradients[index]:
                self.gradients[index] = self._copies[index].copy_(p.grad)

    @torch.no_grad()
    def add_step(self) -> None:
        """Add the step from the weights of :meth:`before_penalty` to the present ones."""
        torch._foreach_sub_(self._before, list(self.parameters.values()))
        torch._foreach_addcmul_(list(self.omega.values()), self._before, self.gradients)
