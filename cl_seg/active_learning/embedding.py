"""Features of unlabelled slices in a network, and the entropy of its predictions on them."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.runtime.eval_mode import eval_mode

BATCH = 16
Values = npt.NDArray[np.float64]


def embed(model: nn.Module, slices: SliceDataset) -> tuple[Values, Values]:
    """Features and entropy of every slice.

    Features are the mean over pixels of the network's coarsest feature map, that with the fewest
    pixels and, among those, the most channels. Entropy is that of the softmax, in nats, averaged
    over pixels.

    Returns:
        (N, D) and (N,).
    """
    features, entropies = [], []
    with eval_mode(model), torch.no_grad():
        name = _coarsest(model, slices.batch(torch.arange(1))[0])
        kept: list[Tensor] = []
        hook = model.get_submodule(name).register_forward_hook(lambda _m, _i, out: kept.append(out))
        try:
            for start in range(0, len(slices), BATCH):
                images, _ = slices.batch(torch.arange(start, min(start + BATCH, len(slices))))
                kept.clear()
                log_probability = model(images).float().log_softmax(dim=1)
                pixels = -(log_probability.exp() * log_probability).sum(dim=1)
                entropies.append(pixels.mean(dim=(1, 2)).double().cpu().numpy())
                features.append(kept[-1].float().mean(dim=(2, 3)).double().cpu().numpy())
        finally:
            hook.remove()
    return np.concatenate(features), np.concatenate(entropies)


def _coarsest(model: nn.Module, image: Tensor) -> str:
    """Name of the module with the coarsest (B, C, H, W) output, after the embedding."""
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
    return min(sizes, key=lambda name: sizes[name])
