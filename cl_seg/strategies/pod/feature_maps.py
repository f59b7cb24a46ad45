"""Feature maps of a network in its forward passes, and the last one of every level."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from cl_seg.messages.errors import InputError


@contextmanager
def feature_maps(network: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the (B, C, H, W) outputs of modules in forward passes within the context.

    Args:
        network: whose modules they are; the hooks on them are removed when the context ends.
        layers: names of the modules.

    Yields:
        Name → output of its last call, in the order in which the modules finished.
    """
    maps: dict[str, Tensor] = {}

    def keep(name: str, module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.dim() == 4:
            maps[name] = output

    hooks = [
        network.get_submodule(name).register_forward_hook(partial(keep, name)) for name in layers
    ]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def find_layers(network: nn.Module, images: Tensor, named: Sequence[str]) -> list[str]:
    """The modules whose outputs are compared, from one forward pass.

    Args:
        network: in eval mode.
        images: (B, 1, H, W).
        named: the modules asked for; empty for the ends of all levels.

    Raises:
        InputError: one that is asked for is no module or gives no (B, C, H, W) output; the network
            has no feature map.
    """
    return _checked(network, images, named) if named else _level_ends(network, images)


def _level_ends(network: nn.Module, images: Tensor) -> list[str]:
    # A level is a run of feature maps of one size, up to the next change of resolution. Tokens of
    # transformers and outputs of dropout are no feature maps: their modules hold no convolution.
    # What has the channels of the logits belongs to the last layer.
    with feature_maps(network, _with_convolution(network)) as maps:
        classes = network(images).shape[1]
    names = [name for name, features in maps.items() if features.shape[1] != classes]
    if not names:
        raise InputError(
            f"pod: {type(network).__name__} has no feature map: no module that holds a convolution "
            f"gives (B, C, H, W) with other than the {classes} channels of the logits"
        )
    levels = groupby(names, lambda name: maps[name].shape[2:])
    return [list(level)[-1] for _, level in levels]


def _checked(network: nn.Module, images: Tensor, named: Sequence[str]) -> list[str]:
    known = dict(network.named_modules())
    with feature_maps(network, [name for name in named if name in known]) as maps:
        network(images)
    wrong = [name for name in named if name not in maps]
    if wrong:
        raise InputError(
            f"pod: `layers`: {', '.join(wrong)}: no module of {type(network).__name__} with a "
            "(B, C, H, W) output"
        )
    return list(named)


def _with_convolution(network: nn.Module) -> list[str]:
    return [
        name
        for name, module in network.named_modules()
        if any(isinstance(part, _ConvNd) for part in module.modules())
    ]
