"""Features of slices in a network, and the entropy of its predictions on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, default_collate

from cl_seg.messages.errors import InputError
from cl_seg.runtime.eval_mode import eval_mode

BATCH = 16
Values = npt.NDArray[np.float64]


def embed(model: nn.Module, dataset: Any, layer: str = "") -> tuple[Values, Values]:
    """Features and entropy of every slice.

    Features are the mean over pixels of the network's coarsest feature map, that with the fewest
    pixels and, among those, the most channels. Entropy is that of the softmax, in nats, averaged
    over pixels.

    Args:
        model: (B, 1, H, W) → (B, C, H, W) logits; left in the mode it was in.
        dataset: items (image, …), images (1, H, W) as they are scored, not augmented.
        layer: name of another module whose feature map is taken.

    Returns:
        (N, D) and (N,).

    Raises:
        InputError: no layer of the network gives a (B, C, H, W) feature map.
    """
    device = next(model.parameters()).device
    collate = getattr(dataset, "collate_fn", None) or default_collate
    # A generator of its own, for the loader would draw from the global one.
    loader = DataLoader(dataset, BATCH, collate_fn=collate, generator=torch.Generator())
    features: list[Values] = []
    entropies: list[Values] = []
    with eval_mode(model), torch.no_grad():
        layer = layer or coarsest_layer(model, dataset[0][0][None].to(device))
        with pooled_features(model, layer) as kept:
            for images, *_ in loader:
                log_probability = model(images.to(device)).float().log_softmax(dim=1)
                pixels = -(log_probability.exp() * log_probability).sum(dim=1)
                entropies.append(pixels.mean(dim=(1, 2)).double().cpu().numpy())
                features.append(kept[-1])
                kept.clear()
    return np.concatenate(features), np.concatenate(entropies)


@contextmanager
def pooled_features(model: nn.Module, layer: str) -> Iterator[list[Values]]:
    """Record the feature map of a module, (B, D) averaged over pixels, whenever it is computed."""
    kept: list[Values] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        kept.append(output.float().mean(dim=(2, 3)).double().cpu().numpy())

    hook = model.get_submodule(layer).register_forward_hook(keep)
    try:
        yield kept
    finally:
        hook.remove()


def coarsest_layer(model: nn.Module, image: Tensor) -> str:
    """Name of the module with the coarsest (B, C, H, W) output, after the embedding.

    Raises:
        InputError: there is none.
    """
    sizes: dict[str, tuple[int, int]] = {}

    def size_hook(name: str) -> object:
        def record_size(_module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            # The output of a patch embedding of the image is not a feature that was learned.
            of_image = name != "" and any(one is image for one in inputs)
            if isinstance(output, Tensor) and output.dim() == 4 and not of_image:
                sizes[name] = output.shape[2] * output.shape[3], -output.shape[1]

        return record_size

    hooks = [
        module.register_forward_hook(size_hook(name))  # type: ignore[arg-type]
        for name, module in model.named_modules()
    ]
    try:
        model(image)
    finally:
        for hook in hooks:
            hook.remove()
    if not sizes:
        raise InputError("no layer of the network gives a (B, C, H, W) feature map")
    return min(sizes, key=lambda name: sizes[name])
