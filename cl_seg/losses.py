"""Dice plus cross-entropy on masks with pixels that are ignored or known in part."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = 255
ONE_OF = 256
"""Targets from here on are sets of labels, see :func:`one_of`."""
MOST_LABELS = 22
"""Labels of a set, so that a target is a whole number in float32, too."""


def one_of(labels: Iterable[int]) -> int:
    """Target of a pixel of which only this is known: it is one of some labels.

    On a slice labelled for the liver alone all else is ``one_of`` background and muscle.

    Raises:
        ValueError: a label above ``MOST_LABELS``.
    """
    chosen = set(labels)
    if max(chosen) > MOST_LABELS:
        raise ValueError(f"label {max(chosen)}, expected up to {MOST_LABELS}")
    return ONE_OF + sum(2**label for label in chosen)


def dice_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy plus (1 − soft Dice), over the pixels that are not ignored.

    The soft Dice of a foreground class is taken over the whole batch, so that an image without the
    class does not count as a miss (batch Dice, as in nnU-Net; Isensee et al. 2021)::

        Dice_c = (2 Σ p_c y_c + 1) / (Σ p_c + Σ y_c + 1)

    A pixel that is one of several labels has the sum of their probabilities in the cross-entropy,
    and takes no part in the Dice of these classes (marginal loss; Shi et al. 2021, Medical Image
    Analysis 70:101979).

    Args:
        logits: (B, C, H, W) float.
        target: (B, H, W) int64 class indices, 255 ignored, :func:`one_of` several.

    Returns:
        Scalar loss; zero, with a gradient, when every pixel is ignored.
    """
    logits = logits.float()
    classes = logits.shape[1]
    log_probability = functional.log_softmax(logits, dim=1)
    pixels = (target != IGNORED).sum().clamp(min=1)
    known = (target != IGNORED).unsqueeze(1)
    sets = target >= ONE_OF
    surprise = 0.0
    if sets.any():
        bits = torch.arange(classes, device=target.device).view(1, -1, 1, 1)
        among = sets.unsqueeze(1) & (target.unsqueeze(1) - ONE_OF >> bits & 1 == 1)
        together = log_probability.masked_fill(~among, -torch.inf).movedim(1, -1)[sets]
        surprise = -together.logsumexp(-1).sum()
        known = known & ~among
        target = torch.where(sets, IGNORED, target)
    single = target != IGNORED
    cross_entropy = functional.nll_loss(
        log_probability, target, ignore_index=IGNORED, reduction="sum"
    )
    cross_entropy = (cross_entropy + surprise) / pixels

    probability = log_probability.exp() * known
    truth = functional.one_hot(torch.where(single, target, 0), classes).movedim(-1, 1)
    truth = truth * single.unsqueeze(1)
    overlap = (probability * truth).sum((0, 2, 3))[1:]
    total = (probability.sum((0, 2, 3)) + truth.sum((0, 2, 3)))[1:]
    dice = (2 * overlap + 1) / (total + 1)
    loss: Tensor = cross_entropy + (1 - dice).mean()
    return loss
