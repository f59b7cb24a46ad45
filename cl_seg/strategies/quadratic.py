"""What the penalties that pull parameters back have in common: Σ_k Ω_k (θ_k − θ*_k)²."""

import torch
from torch import Tensor, nn

Parameters = dict[str, Tensor]


def trained_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that are trained, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def snapshot(model: nn.Module) -> Parameters:
    """A copy of the trained parameters."""
    return {name: p.detach().clone() for name, p in trained_parameters(model).items()}


def copied(parameters: Parameters) -> Parameters:
    """A copy that later changes in place do not reach."""
    return {name: tensor.clone() for name, tensor in parameters.items()}


@torch.no_grad()
def add_gradient(
    model: nn.Module, centre: Parameters, weight: float, importance: Parameters | None = None
) -> None:
    """Add the gradient of weight / 2 · Σ_k Ω_k (θ_k − θ*_k)² to the gradients of a model.

    Called after the backward pass it leaves what was there before, the gradient of the training
    loss, to be read, and costs no graph.

    Args:
        model: its gradients are changed; a parameter without one is not trained by the loss and
            left alone.
        centre: θ* by name.
        weight: of the penalty.
        importance: Ω by name; None is 1 everywhere.
    """
    moved = [(n, p) for n, p in model.named_parameters() if n in centre and p.grad is not None]
    if not moved or not weight:
        return
    pulls = torch._foreach_sub([p.detach() for _, p in moved], [centre[n] for n, _ in moved])
    gradients = [p.grad for _, p in moved if p.grad is not None]
    if importance is not None:
        # Not one addcmul: rounded like this it is what autograd gives wherever the weight is a
        # power of two, bit for bit.
        torch._foreach_mul_(pulls, [importance[n] for n, _ in moved])
    torch._foreach_add_(gradients, pulls, alpha=weight)
