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

    def begin(self, model: nn.Module) -> None:
        """Begin at the model as it is."""
        trained = trained_parameters(model)
        self.restore({name: torch.zeros_like(p.detach()) for name, p in trained.items()})
        self._follow(model)

    def restore(self, omega: Parameters) -> None:
        """Go on from an earlier ω, at the weights of the next step."""
        self.omega, self.parameters = dict(omega), {}

    def _follow(self, model: nn.Module) -> None:
        named = dict(model.named_parameters())
        self.parameters = {name: named[name] for name in self.omega}
        # Kept from step to step, each in one vector, which a single call passes over.
        self._omega, views = _in_one_vector(list(self.omega.values()))
        self.omega = dict(zip(self.omega, views, strict=True))
        self._before, self._before_by_parameter = _in_one_vector(list(self.parameters.values()))
        self._copy, self._copy_by_parameter = _in_one_vector(self._before_by_parameter)

    @torch.no_grad()
    def before_penalty(self, model: nn.Module) -> None:
        """Note the gradients of a step; no gradient counts as zero."""
        if not self.parameters:  # of a state that was restored
            self._follow(model)
        self.gradients = [
            copy.zero_() if p.grad is None else p.grad
            for copy, p in zip(self._copy_by_parameter, self.parameters.values(), strict=True)
        ]

    @torch.no_grad()
    def after_penalty(self) -> None:
        """Copy the gradients that no penalty has replaced, before clipping changes them."""
        for index, p in enumerate(self.parameters.values()):
            if p.grad is self.gradients[index]:
                self.gradients[index] = self._copy_by_parameter[index].copy_(p.grad)

    @torch.no_grad()
    def add_step(self) -> None:
        """Add the step from the weights after the step before it to the present ones."""
        now: list[Tensor] = [*self.parameters.values()]
        before = self._before_by_parameter
        torch._foreach_sub_(before, now)
        if all(g is c for g, c in zip(self.gradients, self._copy_by_parameter, strict=True)):
            self._omega.addcmul_(self._before, self._copy)
        else:
            torch._foreach_addcmul_(list(self.omega.values()), before, self.gradients)
        torch._foreach_copy_(before, now)


def _in_one_vector(tensors: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    # A copy of the tensors one after the other, and its parts in their shapes.
    vector = torch.cat([tensor.detach().flatten() for tensor in tensors])
    parts = torch.split(vector, [tensor.numel() for tensor in tensors])
    return vector, [part.view(t.shape) for part, t in zip(parts, tensors, strict=True)]
