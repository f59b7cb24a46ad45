"""The path integral that SI and RWalk share: what each parameter's way has gained in loss."""

import cl_seg.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn

from cl_seg.strategies.quadratic import Parameters, trained_parameters


class Path:
    """ω_k = − Σ g_k · (θ_k after a step − θ_k before it) over steps (Zenke et al. 2017, eq. 3).

    g is the gradient of the training loss alone: :meth:`note_gradient` is called after the backward
    pass, before a penalty adds its own.

    Attributes:
        gained: ω by name.
        gradients: g of the latest step, in the order of ``gained``.
    """

    def __init__(self) -> None:
        self.gained: Parameters = {}
        self.gradients: list[Tensor] = []
        self._before: list[Tensor] = []
        self._stepping: list[nn.Parameter] = []

    def begin(self, model: nn.Module) -> None:
        """Begin at the model as it is."""
        trained = trained_parameters(model)
        self.gained = {name: torch.zeros_like(p.detach()) for name, p in trained.items()}

    @torch.no_grad()
    def note_gradient(self, model: nn.Module) -> None:
        """Note gradients and weights before a step."""
        trained = trained_parameters(model)
        self._stepping = [trained[name] for name in self.gained]
        if len(self._before) != len(self._stepping):  # kept: to allocate in every step costs time
            self._before = [torch.empty_like(p) for p in self._stepping]
            self.gradients = [torch.zeros_like(p) for p in self._stepping]
        torch._foreach_copy_(self._before, [p.detach() for p in self._stepping])
        for gradient, p in zip(self.gradients, self._stepping, strict=True):
            gradient.zero_() if p.grad is None else gradient.copy_(p.grad)

    @torch.no_grad()
    def add_step(self) -> None:
        """Add the step from the noted weights to the present ones; overwrites what was noted."""
        torch._foreach_sub_(self._before, [p.detach() for p in self._stepping])
        torch._foreach_addcmul_(list(self.gained.values()), self._before, self.gradients)
