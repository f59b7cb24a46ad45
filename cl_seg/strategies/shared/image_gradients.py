"""Gradients of single images, with one forward and one backward pass for several images.

A convolutional network in eval mode treats every image on its own, so one pass gives the input of
every layer and the gradient at its output for all images. From these two, the gradient of a
layer's parameters is computed image by image (Goodfellow 2015, arXiv 1510.01799). Passes of one
image would read all weights once more for each of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn
from torch.nn.grad import conv2d_weight
from torch.nn.modules.batchnorm import _BatchNorm

from cl_seg.strategies.shared.quadratic_penalty import trained_parameters

Objective = Callable[[Tensor, Tensor], Tensor]
Uses = dict[nn.Module, list[tuple[Tensor, Tensor]]]
"""Layer → the inputs it has been called with, and the gradients at its outputs, of a batch."""

IMAGES_AT_ONCE = 8
_LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.PReLU)
_KNOWN_CODE = {"torch", "monai", "cl_seg"}


def gradients_of_each(
    model: nn.Module, images: Tensor, targets: Tensor, objective: Objective
) -> Iterator[Sequence[Tensor]]:
    """Gradients of an objective of one image, image after image.

    Args:
        model: in eval mode; (B, …) images → (B, C, …) logits.
        images: (B, …); more than one only where :func:`keeps_images_apart`.
        targets: (B, …).
        objective: (1, C, …) logits and (1, …) target → scalar.

    Yields:
        The gradient of every trained parameter.
    """
    trained = trained_parameters(model)
    if len(images) == 1:
        yield gradients_of(objective(model(images), targets), list(trained.values()))
        return
    uses = _uses_of_layers(model, images, targets, objective)
    for index in range(len(images)):
        found = _gradients_of_image(uses, slice(index, index + 1))
        yield [found[p] if p in found else torch.zeros_like(p) for p in trained.values()]


def gradients_of(value: Tensor, parameters: Sequence[nn.Parameter]) -> Sequence[Tensor]:
    """Gradients of a scalar; of a parameter that it does not depend on, zeros."""
    return torch.autograd.grad(value, parameters, allow_unused=True, materialize_grads=True)


def keeps_images_apart(model: nn.Module) -> bool:
    """Whether gradients of single images can be had from passes of several.

    So it is in eval mode where all trained parameters are of convolutions, their norms and PReLU.
    What code from elsewhere does with images and weights is not known.
    """
    return all(
        type(module).__module__.partition(".")[0] in _KNOWN_CODE
        and not (isinstance(module, _BatchNorm) and module.running_mean is None)
        and (isinstance(module, _LAYERS) or not _parameters(module))
        for module in model.modules()
    )


def _parameters(layer: nn.Module) -> list[nn.Parameter]:
    return [p for p in layer.parameters(recurse=False) if p.requires_grad]


def _uses_of_layers(
    model: nn.Module, images: Tensor, targets: Tensor, objective: Objective
) -> Uses:
    uses: Uses = {layer: [] for layer in model.modules() if _parameters(layer)}
    hooks = [layer.register_forward_hook(partial(_note, uses)) for layer in uses]
    images = images.detach().requires_grad_()
    try:
        logits = model(images)
    finally:
        for hook in hooks:
            hook.remove()
    each = [slice(index, index + 1) for index in range(len(images))]
    value = torch.stack([objective(logits[i], targets[i]) for i in each]).sum()
    # Towards the images and not the parameters: the gradients of all images' sum are not wanted.
    torch.autograd.grad(value, images)
    return uses


def _note(uses: Uses, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
    # A hook of the tensor sees the gradient at this output even where it is changed in place.
    x = inputs[0].detach()
    output.register_hook(  # type: ignore[no-untyped-call]
        lambda gradient: uses[layer].append((x, gradient))
    )


def _gradients_of_image(uses: Uses, here: slice) -> Mapping[nn.Parameter, Tensor]:
    total: dict[nn.Parameter, Tensor] = {}
    for layer, of_layer in uses.items():
        for x, gradient in of_layer:
            new = _gradients_of_layer(layer, x[here], gradient[here])
            for p, value in zip(_parameters(layer), new, strict=True):
                total[p] = total[p] + value if p in total else value
    return total


def _gradients_of_layer(layer: nn.Module, x: Tensor, gradient: Tensor) -> Sequence[Tensor]:
    parameters = _parameters(layer)
    if isinstance(layer, nn.PReLU):
        below = (x.clamp(max=0) * gradient).movedim(1, 0)
        return [below.reshape(len(layer.weight), -1).sum(1)]
    convolves = isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    if not convolves or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        return torch.autograd.grad(layer(x), parameters, gradient)
    # A transposed convolution is the gradient of a convolution, whose output is its input.
    wide, narrow = (x, gradient) if isinstance(layer, nn.Conv2d) else (gradient, x)
    shape, how = layer.weight.shape, (layer.stride, layer.padding, layer.dilation, layer.groups)
    return [
        conv2d_weight(wide, shape, narrow, *how)  # type: ignore[no-untyped-call]
        if p is layer.weight
        else gradient.sum((0, 2, 3))
        for p in parameters
    ]
