"""How far apart two sets of unlabelled images are, by the features of a network's first layer."""

from collections.abc import Iterable

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn
from torch.func import functional_call

from cl_seg.messages.errors import InputError


def first_convolution(model: nn.Module) -> nn.Conv2d:
    """The first convolution of a network.

    Raises:
        InputError: it has none.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            return module
    raise InputError(
        f"{type(model).__name__} has no convolution, by whose output `route: nearest` compares "
        "images; use `route: known`"
    )


@torch.no_grad()
def feature_statistics(
    convolution: nn.Conv2d, filters: dict[str, Tensor], images: Iterable[Tensor]
) -> Tensor:
    """Mean and standard deviation of every channel of a convolution, over images and pixels.

    Args:
        convolution: of images.
        filters: its weight and bias for this call; its own are left as they are.
        images: batches (B, channels, S, S) on its device, at least one image in all.

    Returns:
        (2, C) float64.
    """
    count, sums = 0, torch.zeros(())
    for batch in images:
        features = functional_call(convolution, filters, (batch,)).double()
        powers = torch.stack([features, features.square()])
        sums = sums.to(powers.device) + powers.sum((1, 3, 4))
        count += features[:, 0].numel()
    mean, square = sums / count
    return torch.stack([mean, (square - mean.square()).clamp(min=0).sqrt()])


def squared_distance(a: Tensor, b: Tensor) -> float:
    """Squared 2-Wasserstein distance of two Gaussians with diagonal covariance.

    Σ_c (μ_c − μ'_c)² + (σ_c − σ'_c)² (Dowson & Landau 1982, where covariances commute).

    Args:
        a: (2, C) means and standard deviations.
        b: those of the other one.
    """
    return float((a - b.to(a.device)).square().sum())
