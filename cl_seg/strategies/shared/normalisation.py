"""Normalisation layers of a network."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

NORMALISATION = (_NormBase, nn.GroupNorm, nn.LayerNorm)
"""Batch and instance norm, group norm, layer norm."""


def normalisation_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The weights, biases and running statistics of a network's normalisation layers, by name.

    Empty where they have none, as MONAI's instance norm.
    """
    return {
        f"{name}.{own}": tensor
        for name, layer in model.named_modules()
        if isinstance(layer, NORMALISATION)
        for own, tensor in layer.state_dict().items()
    }
