"""Diagonal Fisher information of a network, for classification and for dense targets.

The log-likelihood of an image is the sum over its labelled pixels of log p(label | image), so

    F_k = E_x E_y [ (∂ log p(y | x, θ) / ∂θ_k)² ]

grows with the number of pixels. The three estimates are named as in van de Ven 2025
(arXiv 2502.11756).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, default_collate

from cl_seg.losses import IGNORED
from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.strategies.shared.image_gradients import (
    IMAGES_AT_ONCE,
    gradients_of,
    gradients_of_each,
    keeps_images_apart,
)
from cl_seg.strategies.shared.quadratic_penalty import Parameters, trained_parameters

Kind = Literal["sampled", "empirical"]


def fisher_information(
    model: nn.Module, dataset: Any, images: list[int], kind: Kind, generator: torch.Generator
) -> Parameters:
    """Mean over images of squared per-image gradients of the log-likelihood.

    ``sampled`` draws the label of every pixel from the model's softmax, which is unbiased for the
    Fisher information; ``empirical`` takes the true labels.

    Args:
        model: (1, …) images → (1, C, …) logits; left in the mode it was in.
        dataset: items (image, target, …); targets are (…) int64, 255 ignored.
        images: indices to use.
        kind: labels to use.
        generator: of the sampled labels, on the CPU.

    Returns:
        Parameter name → (shape of the parameter) float32.
    """

    def log_likelihood(logits: Tensor, target: Tensor) -> Tensor:
        known = target != IGNORED
        labels = _sample_labels(logits, generator) if kind == "sampled" else target
        return -functional.cross_entropy(
            logits, torch.where(known, labels, IGNORED), ignore_index=IGNORED, reduction="sum"
        )

    return mean_over_images(
        model, dataset, images, log_likelihood, lambda total, g: total.addcmul_(g, g)
    )


def draw_images(
    count: int, limit: int | None, entropy: tuple[int, int]
) -> tuple[list[int], torch.Generator]:
    """Images an importance is estimated on, drawn at random, and a generator for what follows.

    Args:
        count: of images there are.
        limit: at most so many; None means all.
        entropy: seed and experience.
    """
    words = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    generator = torch.Generator().manual_seed(int(words[0]))
    return torch.randperm(count, generator=generator)[:limit].tolist(), generator


def mean_over_images(
    model: nn.Module,
    dataset: Any,
    images: list[int],
    objective: Callable[[Tensor, Tensor], Tensor],
    add: Callable[[Tensor, Tensor], Any],
) -> Parameters:
    """Mean over images of a function of the gradient of an objective of one image.

    The model is put in eval mode and the images are taken from the dataset as they are, without
    augmentation.

    Args:
        model: (1, …) images → (1, C, …) logits; left in the mode it was in.
        dataset: items (image, target, …).
        images: indices to use.
        objective: (1, C, …) logits and (1, …) target → scalar.
        add: adds the function of a parameter's gradient, second, to the first tensor in place.

    Returns:
        Parameter name → (shape of the parameter) float32.
    """
    device = next(model.parameters()).device
    at_once = IMAGES_AT_ONCE if keeps_images_apart(model) else 1

    def gradients() -> Iterator[Sequence[Tensor]]:
        for start in range(0, len(images), at_once):
            pairs = [dataset[index][:2] for index in images[start : start + at_once]]
            inputs = torch.stack([image for image, _ in pairs]).to(device)
            targets = torch.stack([torch.as_tensor(target) for _, target in pairs]).to(device)
            yield from gradients_of_each(model, inputs, targets, objective)

    return _mean_over_gradients(model, gradients(), add)


def batch_fisher(model: nn.Module, dataset: Any, criterion: Any, batch_size: int) -> Parameters:
    """Mean over mini-batches of the squared gradient of the training loss.

    The estimate of Avalanche's EWCPlugin, for comparison: it shrinks as the batch size grows.
    """
    device = next(model.parameters()).device
    collate = getattr(dataset, "collate_fn", None) or default_collate
    loader = DataLoader(dataset, batch_size=batch_size, collate_fn=collate)
    trained = list(trained_parameters(model).values())
    losses = (criterion(model(batch[0].to(device)), batch[1].to(device)) for batch in loader)
    gradients = (gradients_of(loss, trained) for loss in losses)
    # Not one addcmul: rounded like this it is Avalanche's, bit for bit.
    return _mean_over_gradients(model, gradients, lambda total, g: total.add_(g.square()))


def _mean_over_gradients(
    model: nn.Module,
    gradients: Iterable[Sequence[Tensor]],
    add: Callable[[Tensor, Tensor], Any],
) -> Parameters:
    """Mean of a function of gradients that are computed in eval mode."""
    total = {name: torch.zeros_like(p) for name, p in trained_parameters(model).items()}
    count = 0
    with eval_mode(model):
        for count, each in enumerate(gradients, start=1):  # noqa: B007 - used after the loop
            for of_parameter, gradient in zip(total.values(), each, strict=True):
                add(of_parameter, gradient)
    return {name: value / count for name, value in total.items()}


def _sample_labels(logits: Tensor, generator: torch.Generator) -> Tensor:
    # Inverse of the cumulative softmax at one uniform number per pixel, drawn on the CPU so that
    # the labels do not depend on the device.
    cumulative = logits.detach().float().softmax(1).cumsum(1)
    uniform = torch.rand(logits[:, :1].shape, generator=generator).to(logits.device)
    return (uniform > cumulative[:, :-1]).sum(1)
