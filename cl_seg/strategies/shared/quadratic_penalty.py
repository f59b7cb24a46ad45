"""The quadratic penalty λ/2 · Σ_k Ω_k (θ_k − θ*_k)² of parameters around earlier ones."""

from collections.abc import Iterator, Mapping

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


def penalised_parameters(
    trained: Mapping[str, nn.Parameter], centre: Parameters
) -> Iterator[tuple[str, nn.Parameter, Tensor, Tensor]]:
    """The parameters that a penalty acts on: those with a gradient and a θ*.

    Yields:
        Name, parameter, its gradient, and θ − θ* as a new tensor.
    """
    for name, p in trained.items():
        if p.grad is not None and name in centre:
            yield name, p, p.grad, p.detach() - centre[name]


@torch.no_grad()
def add_penalty(
    trained: Mapping[str, nn.Parameter],
    centre: Parameters,
    weight: float,
    importance: Parameters | None = None,
) -> None:
    """Add the gradient of weight / 2 · Σ_k Ω_k (θ_k − θ*_k)² to the gradients of parameters.

    Called after the backward pass it costs no graph. The sums are put in place of the gradients
    of the training loss, whose tensors stay as they are for plugins that have noted them.

    Args:
        trained: parameters by name; one without a gradient is not trained by the loss and left
            alone.
        centre: θ* by name.
        weight: of the penalty.
        importance: Ω by name; None is 1 everywhere.
    """
    for name, p, gradient, offset in penalised_parameters(trained, centre):
        if importance is None:
            p.grad = torch.add(gradient, offset, alpha=weight, out=offset)
        else:
            p.grad = torch.addcmul(gradient, offset, importance[name], value=weight, out=offset)
