"""The scale of an importance, so that a penalty weight means the same on every network."""

from typing import Literal

import torch

from cl_seg.strategies.shared.quadratic_penalty import Parameters

Scale = Literal["raw", "mean"]


@torch.no_grad()
def scaled(importance: Parameters, scale: Scale) -> Parameters:
    """The importance of one experience as it is, or divided by its mean over all parameters.

    With n parameters and ``mean``, Ω_k ← n Ω_k / Σ_j Ω_j. The importance is then 1 on average, so
    that λ is the average stiffness of λ/2 · Σ_k Ω_k (θ_k − θ*_k)², as it is of L2, and a factor
    common to all Ω_k (number of pixels, size of the logits, batch size) has no effect.

    Args:
        importance: Ω by name, not negative; left unchanged.
        scale: ``raw`` or ``mean``.

    Returns:
        Ω by name; the argument itself if ``raw``, or if every Ω_k is zero.
    """
    if scale == "raw" or not importance:
        return importance
    # In float64: values of one network differ by more than the precision of float32.
    total = sum(float(part.sum(dtype=torch.float64)) for part in importance.values())
    mean = total / sum(part.numel() for part in importance.values())
    return {name: part / mean for name, part in importance.items()} if mean > 0 else importance
