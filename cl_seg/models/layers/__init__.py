"""Layers of the registered networks that compute what torch's and MONAI's do, faster on a CPU.

They round differently, keep names and order of parameters and buffers, and leave a GPU to torch.
"""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from monai.networks.nets.swin_unetr import WindowAttention
from torch import nn

from cl_seg.models.layers.linear import Linear
from cl_seg.models.layers.prelu import PReLU
from cl_seg.models.layers.window_attention import TransposedWindowAttention

_FASTER: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: Linear,
    nn.PReLU: PReLU,
    WindowAttention: TransposedWindowAttention,
}


def use_faster_layers(network: nn.Module) -> nn.Module:
    """Turn the layers of a network into their faster forms, in place.

    Args:
        network: of any layers; those without a faster form stay as they are.
    """
    for layer in network.modules():
        # A change of class keeps the drawn parameters, their names and the hooks of the layer.
        layer.__class__ = _FASTER.get(type(layer), type(layer))
    return network
