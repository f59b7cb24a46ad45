"""Dice plus cross-entropy on masks with ignored pixels."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = 255


def dice_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy plus (1 − soft Dice), over the pixels that are not ignored.

    The soft Dice of a foreground class is taken over the whole batch, so that an image without the
    class does not count as a miss (batch Dice, as in nnU-Net; Isensee et al. 2021)::

        Dice_c = (2 Σ p_c y_c + 1) / (Σ p_c + Σ y_c + 1)

    Args:
        logits: (B, C, H, W) float.
        target: (B, H, W) int64 class indices, 255 ignored.

    Returns:
        Scalar loss; zero, with a gradient, when every pixel is ignored.
    """
    logits = logits.float()
    known = target != IGNORED
    labels = torch.arange(logits.shape[1], device=target.device).view(1, -1, 1, 1)
    truth = target.unsqueeze(1) == labels
    log_probability = functional.log_softmax(logits, dim=1)
    # Not nll_loss, which adds up in any order on a GPU.
    of_truth = torch.where(truth, log_probability, 0.0)
    cross_entropy = -of_truth.sum() / known.sum().clamp(min=1)

    probability = log_probability.exp() * known.unsqueeze(1)
    overlap = (probability * truth).sum((0, 2, 3))[1:]
    total = (probability.sum((0, 2, 3)) + truth.sum((0, 2, 3)))[1:]
    dice = (2 * overlap + 1) / (total + 1)
    loss: Tensor = cross_entropy + (1 - dice).mean()
    return loss


def coarser_loss(coarser: Sequence[Tensor], target: Tensor) -> Tensor:
    """Auxiliary loss of deep supervision, to be added to that of the full resolution.

    The weights are nnU-Net's (Isensee et al. 2021) relative to a full resolution of weight 1, and
    are not divided by their sum: what strategies add to the loss of the full resolution has the
    same meaning on every network::

        Σ_i 2⁻ⁱ dice_cross_entropy(logits_i, target_i),  i = 1, 2, …

    Args:
        coarser: logits (B, C, H / 2ⁱ, W / 2ⁱ), finest first, at least one.
        target: (B, H, W) int64 class indices, 255 ignored; of each coarser pixel counts the one
            nearest to its centre.

    Returns:
        Scalar loss.
    """
    losses = []
    for level, logits in enumerate(coarser, start=1):
        step = target.shape[-1] // logits.shape[-1]
        nearest = target[:, step // 2 :: step, step // 2 :: step]
        losses.append(dice_cross_entropy(logits, nearest) * 0.5**level)
    return torch.stack(losses).sum()
