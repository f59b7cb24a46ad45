"""Test-time entropy minimisation."""

from collections.abc import Iterable

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn
from torch.optim import Adam

from cl_seg.messages.errors import InputError
from cl_seg.strategies.shared.adapted_scoring import AdaptedScoring
from cl_seg.strategies.shared.batch_norm import BATCH_NORM, batch_statistics
from cl_seg.strategies.shared.estimated_statistics import estimate_statistics
from cl_seg.strategies.shared.normalisation import NORMALISATION
from cl_seg.strategies.tent import TentSettings


class Tent(AdaptedScoring):
    """TENT (Wang et al. 2021, arXiv 2006.10726) on the images of one case after the other.

    While γ and β are trained, batch norm normalises every batch by its own statistics, through
    which the gradient goes, as in the paper; the case is then scored with the statistics of all
    its images under the new γ and β. Nothing is drawn at random: dropout is off.

    Args:
        steps: optimiser steps, each on all images of the case.
        learning_rate: of Adam.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(self, *, steps: int = 1, learning_rate: float = 0.001, seed: int = 0) -> None:
        super().__init__()
        self.settings = TentSettings.of_keywords(steps=steps, learning_rate=learning_rate)

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network without γ and β."""
        affine_parameters(model)

    def prepare_scoring(self, model: nn.Module, experience: int, images: Iterable[Tensor]) -> None:
        """Lower the entropy on the images of a case."""
        affine = affine_parameters(model)
        optimizer = Adam(affine, lr=self.settings.learning_rate)
        with batch_statistics(model):
            for _ in range(self.settings.steps):
                gradients = _gradients(model, images, affine)
                for parameter, gradient in zip(affine, gradients, strict=True):
                    parameter.grad = gradient
                optimizer.step()
        optimizer.zero_grad()
        if any(isinstance(module, BATCH_NORM) for module in model.modules()):
            estimate_statistics(model, images)


def affine_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Weights and biases of all normalisation layers.

    Raises:
        InputError: there are none.
    """
    found = [
        parameter
        for module in model.modules()
        if isinstance(module, NORMALISATION)
        for parameter in module.parameters(recurse=False)
    ]
    if not found:
        raise InputError(
            f"{type(model).__name__} has no normalisation layer with a weight and a bias, which "
            "are what tent adapts; leave it out for this network"
        )
    return found


def entropy(logits: Tensor) -> Tensor:
    """Mean over pixels of the entropy of the softmax, in nats, (B, C, …) → (B,)."""
    logarithm = logits.float().log_softmax(1)
    return -(logarithm.exp() * logarithm).sum(1).flatten(1).mean(1)


def _gradients(
    model: nn.Module, images: Iterable[Tensor], affine: list[nn.Parameter]
) -> list[Tensor]:
    """Gradients of the mean entropy over all images, whose batches may differ in size."""
    total, count = [torch.zeros_like(p) for p in affine], 0
    for batch in images:
        of_batch = torch.autograd.grad(
            entropy(model(batch)).sum(), affine, allow_unused=True, materialize_grads=True
        )
        torch._foreach_add_(total, of_batch)
        count += len(batch)
    return list(torch._foreach_div(total, count))
