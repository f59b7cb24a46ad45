"""Global intensity non-linear augmentation: images through networks with random weights."""

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

Layer = tuple[Tensor, Tensor]
"""Weights (B, out, in, 3, 3) and shifts (B, out) of one convolution of B networks."""
SMALLEST_DEVIATION = 1e-6  # of a body without contrast, which stays one


def gin(images: Tensor, body: Tensor, networks: list[Layer], blend: Tensor) -> Tensor:
    """Blend images with what their networks make of them; mean and norm in the body are kept.

    With g a network and z the image less its mean μ, over its standard deviation σ::

        y = α · standardised(g(z)) + (1 − α) · z        result = μ + σ · standardised(y)

    so that the Frobenius norm of image − μ is that of result − μ (Ouyang et al. 2022, arXiv
    2111.12525). Unlike there, μ is kept, because a window holds the images; and what the network
    makes is standardised before it is blended, because its size differs by orders of magnitude from
    one random network to the next, so that α would not say how much of the image is left.

    Args:
        images: (B, 1, H, W).
        body: (B, 1, H, W) bool, the pixels that mean and standard deviation are of.
        networks: of :func:`draw_networks`, one per image.
        blend: (B, 1, 1, 1), α in 0 to 1.

    Returns:
        (B, 1, H, W); outside the body what follows from the formula.
    """
    standard, mean, deviation = _standardised(images, body)
    made, *_ = _standardised(_through(networks, standard), body)
    blended, *_ = _standardised(blend * made + (1 - blend) * standard, body)
    return mean + deviation * blended


def draw_networks(
    count: int, layers: int, channels: int, generator: torch.Generator
) -> list[Layer]:
    """Networks of normal weights; each of their kernels is 1x1 or 3x3, with equal probability.

    Args:
        count: number of networks.
        layers: convolutions of each.
        channels: between two convolutions.
        generator: of the draws, on the device of the images.
    """
    device = generator.device
    centre = torch.zeros(3, 3, device=device)
    centre[1, 1] = 1
    networks = []
    for inputs, outputs in pairwise([1, *[channels] * (layers - 1), 1]):
        shape = (count, outputs, inputs, 3, 3)
        weights = torch.randn(shape, generator=generator, device=device)
        is_point = torch.rand((count, 1, 1, 1, 1), generator=generator, device=device) < 0.5
        shifts = torch.randn((count, outputs), generator=generator, device=device)
        networks.append((torch.where(is_point, weights * centre, weights), shifts))
    return networks


def _through(networks: list[Layer], images: Tensor) -> Tensor:
    """(B, 1, H, W) → (B, 1, H, W), each image through its network, with LeakyReLU in between."""
    maps = images.transpose(0, 1)  # images as groups of channels, so that each has its own weights
    for index, (weights, shifts) in enumerate(networks):
        maps = functional.leaky_relu(maps) if index else maps
        kernels = weights.flatten(0, 1)
        maps = functional.conv2d(maps, kernels, shifts.flatten(), padding=1, groups=len(images))
    return maps.transpose(0, 1)


def _standardised(images: Tensor, body: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Images with mean 0 and deviation 1 in the body; mean and deviation before, (B, 1, 1, 1)."""
    count = body.sum((1, 2, 3), keepdim=True).clamp(min=1)
    mean = (images * body).sum((1, 2, 3), keepdim=True) / count
    squares = ((images - mean) * body).square().sum((1, 2, 3), keepdim=True)
    deviation = (squares / count).sqrt()
    return (images - mean) / deviation.clamp(min=SMALLEST_DEVIATION), mean, deviation
