"""Statistics of batch norm, estimated on given images without labels."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, default_collate

from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.strategies.shared.batch_norm import batch_norms

BATCH = 16


class _InputReached(Exception):
    """The forward pass has come to the layer whose input is wanted."""


@torch.no_grad()
def estimate_statistics(model: nn.Module, images: Iterable[Tensor], prior: float = 0.0) -> None:
    """Set every batch norm's running statistics to mean and variance of its input over images.

    Layer by layer: the input of a layer is that which it has when all layers before it normalise
    by their new statistics. The result is therefore that of all images in one batch, however they
    are divided, but for rounding; the variance is that of the population. With a prior the new
    statistics are ``(N · old + n · estimate) / (N + n)`` (Schneider et al. 2020, arXiv 2006.16971).

    Costs half a forward pass of all images for every layer of batch norm.

    Args:
        model: (B, …) images → logits; put in eval mode meanwhile.
        images: batches (B, 1, S, S) on its device, to be iterated over many times; n in all.
        prior: N, the number of images that the old statistics count as.

    Raises:
        InputError: the network has no batch norm.
    """
    with eval_mode(model):
        for module in _in_order_of_use(model, images):
            count, mean, variance = _moments_of_input(model, module, images)
            share = count / (prior + count)
            module.running_mean.lerp_(mean.to(module.running_mean), share)
            module.running_var.lerp_(variance.to(module.running_var), share)


class UnaugmentedImages:
    """The images of an experience without augmentation, in batches, as often as asked for.

    Args:
        dataset: of the experience; items (image, …).
        device: of the network.
    """

    def __init__(self, dataset: Any, device: torch.device | str) -> None:
        self.dataset, self.device = dataset.eval(), device

    def __iter__(self) -> Iterator[Tensor]:
        loader = DataLoader(
            self.dataset,
            batch_size=BATCH,
            collate_fn=getattr(self.dataset, "collate_fn", None) or default_collate,
            generator=torch.Generator(),  # without one, torch's global one is drawn from
        )
        return (batch[0].to(self.device) for batch in loader)


def _in_order_of_use(model: nn.Module, images: Iterable[Tensor]) -> list[Any]:
    """The layers of batch norm with running statistics, in the order of a forward pass."""
    used: dict[nn.Module, None] = {}
    handles = [
        module.register_forward_pre_hook(lambda layer, inputs: used.setdefault(layer))
        for _, module in batch_norms(model)
        if module.running_mean is not None
    ]
    try:
        model(next(iter(images)))
    finally:
        for handle in handles:
            handle.remove()
    return list(used)


def _moments_of_input(
    model: nn.Module, module: nn.Module, images: Iterable[Tensor]
) -> tuple[int, Tensor, Tensor]:
    """Number of images, and mean and population variance of a layer's input, (C,) float64."""
    parts: list[tuple[int, Tensor, Tensor]] = []

    def note(_: nn.Module, inputs: tuple[Tensor]) -> None:
        x = inputs[0]
        variance, mean = torch.var_mean(x, [d for d in range(x.ndim) if d != 1], correction=0)
        parts.append((len(x), mean.double(), variance.double()))
        raise _InputReached

    handle = module.register_forward_pre_hook(note)
    try:
        for batch in images:
            with suppress(_InputReached):
                model(batch)
    finally:
        handle.remove()
    counts, means, variances = zip(*parts, strict=True)
    mean, variance = torch.stack(means), torch.stack(variances)
    shares = torch.tensor(counts, dtype=mean.dtype, device=mean.device)[:, None] / sum(counts)
    overall = (shares * mean).sum(0)
    return sum(counts), overall, (shares * (variance + (mean - overall) ** 2)).sum(0)
