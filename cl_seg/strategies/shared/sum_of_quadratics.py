"""A sum of quadratic penalties around different centres, as one of them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from cl_seg.strategies.shared.quadratic_penalty import Parameters


@torch.no_grad()
def add_quadratic(
    importance: Parameters, centre: Parameters, new: Parameters, theta: Mapping[str, Tensor]
) -> None:
    """Add Σ_k Ω_k (θ_k − θ*_k)² to a sum of such penalties, in place.

    A sum of quadratics in θ_k is again one, but for a constant::

        Ω (θ − θ*)² + Ω' (θ − θ'*)² = (Ω + Ω') (θ − θ''*)² + c,   θ''* = (Ω θ* + Ω' θ'*) / (Ω + Ω')

    Args:
        importance: Ω of the sum by name, empty at first; becomes that of the new sum.
        centre: its θ* by name; likewise.
        new: Ω of the penalty that is added.
        theta: its θ* by name, of at least the parameters in ``new``.
    """
    for name, more in new.items():
        here = theta[name].detach().clone()
        if name not in importance:
            importance[name], centre[name] = more, here
            continue
        total = importance[name] + more
        weight = torch.where(total > 0, more / total, 1.0)
        importance[name] = total
        centre[name] = centre[name] + weight * (here - centre[name])
