"""A linear layer whose float32 products are oneDNN's on a CPU.

torch takes MKL's, which reach half of the speed of oneDNN's on AMD processors with AVX-512.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_HAS_ONEDNN = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
_SMALLEST = 4096  # below so many weights, preparing oneDNN's product costs more than it saves


class Linear(nn.Linear):
    """``torch.nn.Linear``, faster in float32 on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        """(…, in_features) → (…, out_features)."""
        large = self.weight.numel() >= _SMALLEST
        exact = x.dtype == torch.float32 and not torch.is_autocast_enabled(x.device.type)
        if not (_HAS_ONEDNN and x.is_cpu and large and exact):
            return F.linear(x, self.weight, self.bias)
        out: Tensor = _Linear.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return out


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return product(x, weight, bias)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        rows = gradient.flatten(0, -2)
        return (
            product(gradient, weight.t()) if of_x else None,
            product(rows.t(), x.flatten(0, -2).t()) if of_weight else None,
            rows.sum(0) if of_bias else None,
        )


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.t() + bias`` by oneDNN, through torch.compile's operator for linear layers.

    Args:
        x: (…, K) float32 on the CPU.
        weight: (N, K) float32 on the CPU.
        bias: (N,) float32 on the CPU.

    Returns:
        (…, N) float32, without a gradient.
    """
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return out
