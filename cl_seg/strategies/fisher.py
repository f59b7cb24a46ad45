"""Diagonal Fisher information of a network, for classification and for dense targets.

The log-likelihood of an image is the sum over its labelled pixels of log p(label | image), so

    F_k = E_x E_y [ (∂ log p(y | x, θ) / ∂θ_k)² ]

grows with the number of pixels. The three estimates are named as in van de Ven 2025
(arXiv 2502.11756).
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, default_collate

IGNORED = 255
Kind = Literal["sampled", "empirical"]
Parameters = dict[str, Tensor]


def fisher_information(
    model: nn.Module, dataset: Any, images: list[int], kind: Kind, generator: torch.Generator
) -> Parameters:
    """Mean over images of squared per-image gradients of the log-likelihood.

    ``sampled`` draws the label of every pixel from the model's softmax, which is unbiased for the
    Fisher information; ``empirical`` takes the true labels. The model is put in eval mode and the
    images are taken from the dataset as they are, without augmentation.

    Args:
        model: (1, …) images → (1, C, …) logits; left in the mode it was in.
        dataset: items (image, target, …); targets are (…) int64, 255 ignored.
        images: indices to use.
        kind: whose labels.
        generator: of the sampled labels, on the CPU.

    Returns:
        Parameter name → (shape of the parameter) float32.
    """
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    total = {n: torch.zeros_like(p) for n, p in trained.items()}
    device = next(iter(trained.values())).device
    modes = {module: module.training for module in model.modules()}
    model.eval()
    for index in images:
        image, target = dataset[index][:2]
        logits = model(image.to(device).unsqueeze(0))
        target = torch.as_tensor(target).to(device).unsqueeze(0)
        known = target != IGNORED
        labels = _draw(logits, generator) if kind == "sampled" else target
        likelihood = -functional.cross_entropy(
            logits, torch.where(known, labels, IGNORED), ignore_index=IGNORED, reduction="sum"
        )
        gradients = torch.autograd.grad(
            likelihood, list(trained.values()), allow_unused=True, materialize_grads=True
        )
        for name, gradient in zip(trained, gradients, strict=True):
            total[name] += gradient.detach() ** 2
    for module, mode in modes.items():
        module.training = mode
    return {name: value / len(images) for name, value in total.items()}


def batch_fisher(model: nn.Module, dataset: Any, criterion: Any, batch_size: int) -> Parameters:
    """Mean over mini-batches of the squared gradient of the training loss.

    What Avalanche's EWCPlugin computes: it depends on the batch size and shrinks as that grows.
    Kept for comparison.
    """
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    total = {n: torch.zeros_like(p) for n, p in trained.items()}
    device = next(iter(trained.values())).device
    modes = {module: module.training for module in model.modules()}
    model.eval()
    loader = DataLoader(
        dataset,
        batch_size=batch_size,
        collate_fn=getattr(dataset, "collate_fn", None) or default_collate,
    )
    for batch in loader:
        loss = criterion(model(batch[0].to(device)), batch[1].to(device))
        gradients = torch.autograd.grad(
            loss, list(trained.values()), allow_unused=True, materialize_grads=True
        )
        for name, gradient in zip(trained, gradients, strict=True):
            total[name] += gradient.detach().pow(2)
    for module, mode in modes.items():
        module.training = mode
    return {name: value / float(len(loader)) for name, value in total.items()}


def _draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    # Inverse of the cumulative softmax at one uniform number per pixel, drawn on the CPU so that
    # the labels do not depend on the device.
    cumulative = logits.detach().float().softmax(1).cumsum(1)
    uniform = torch.rand(logits[:, :1].shape, generator=generator).to(logits.device)
    return (uniform > cumulative[:, :-1]).sum(1)
