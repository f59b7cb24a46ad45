"""The outputs of an encoder that a decoder reads, and replacing them in a forward pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

Change = Callable[[str, Tensor], Tensor]


def outermost_modules(network: nn.Module, is_inside: Callable[[str], bool]) -> list[str]:
    """Names of the largest modules all of whose parameters are inside a part of the network.

    Args:
        network: of any modules.
        is_inside: whether the parameter of a name is in the part.
    """
    whole = [
        name
        for name, module in network.named_modules()
        if (own := [own for own, _ in module.named_parameters(prefix=name)])
        and all(map(is_inside, own))
    ]
    return [n for n in whole if not any(n.startswith(f"{other}.") for other in whole)]


@contextmanager
def changed_outputs(network: nn.Module, modules: Sequence[str], change: Change) -> Iterator[None]:
    """Replace every tensor in the outputs of some modules in forward passes within the context.

    Args:
        network: whose modules they are; the hooks on them are removed when the context ends.
        modules: their names.
        change: name of a tensor (that of its module, and its place in a tuple or list), and the
            tensor → what the rest of the network reads instead.
    """

    def replace(name: str, module: nn.Module, inputs: object, output: object) -> object:
        return _mapped(name, output, change)

    hooks = [
        network.get_submodule(name).register_forward_hook(partial(replace, name))
        for name in modules
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def outputs_read_outside(network: nn.Module, modules: Sequence[str], images: Tensor) -> list[str]:
    """Names of the tensors in the outputs of some modules on which the logits depend directly.

    Directly is: other than through outputs of another of these modules. Each tensor is cut off from
    what it was computed of; the logits then have a gradient with respect to those that are read.

    Args:
        network: in eval mode.
        modules: their names.
        images: (B, 1, H, W).
    """
    found: dict[str, Tensor] = {}

    def cut(name: str, tensor: Tensor) -> Tensor:
        if tensor.is_floating_point():
            found[name] = tensor.detach().requires_grad_()
            # A copy goes on, since the layer that follows may work in place.
            return found[name].clone()
        return tensor

    with torch.enable_grad(), changed_outputs(network, modules, cut):
        logits = network(images)
    gradients = torch.autograd.grad(logits.sum(), list(found.values()), allow_unused=True)
    return [name for name, gradient in zip(found, gradients, strict=True) if gradient is not None]


@torch.no_grad()
def encoder_outputs(
    network: nn.Module, modules: Sequence[str], read: Sequence[str], images: Tensor
) -> dict[str, Tensor]:
    """Tensors of :func:`outputs_read_outside` for some images, as float16.

    Args:
        network: in eval mode.
        modules: whose outputs the tensors are in.
        read: names of the tensors.
        images: (B, 1, H, W).
    """
    found: dict[str, Tensor] = {}

    def keep(name: str, tensor: Tensor) -> Tensor:
        if name in read:
            found[name] = tensor.half()  # a copy: the layer that follows may work in place
        return tensor

    with changed_outputs(network, modules, keep):
        network(images)
    return found


def _mapped(name: str, output: Any, change: Change) -> Any:
    if isinstance(output, Tensor):
        return change(name, output)
    if isinstance(output, list | tuple):
        parts = [_mapped(f"{name}/{k}", part, change) for k, part in enumerate(output)]
        return type(output)(parts)
    return output
