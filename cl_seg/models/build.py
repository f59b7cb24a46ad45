"""Builds a network from its name."""

from typing import Any

import torch
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.models.registry import NETWORKS
from cl_seg.runtime.import_target import import_target


def build_model(
    name: str, preset: str, arguments: dict[str, Any], classes: int, image_size: int
) -> nn.Module:
    """Make a network with randomly drawn weights (global torch generator).

    Args:
        name: registered network, or ``module:callable``.
        preset: size of a registered network.
        arguments: further keyword arguments of a ``module:callable``.
        classes: output channels, background included.
        image_size: height and width in pixels.

    Returns:
        A module from (B, 1, H, W) images to (B, classes, H, W) logits.

    Raises:
        InputError: ``module:callable`` cannot be imported, or a package is not installed.
    """
    builder = name
    if name in NETWORKS:
        network = NETWORKS[name]
        network.package_version()  # an import that fails says less
        builder, arguments = network.builder, network.presets[preset].arguments
    build = import_target(builder, "network")
    try:
        model: nn.Module = build(
            in_channels=1, out_channels=classes, image_size=image_size, **arguments
        )
    except TypeError as error:
        raise InputError(f"network {name} cannot be made: {error}") from error
    if name not in NETWORKS:
        _check_own(name, model, (1, classes, image_size, image_size))
    return model


def _check_own(name: str, model: object, expected: tuple[int, ...]) -> None:
    if not isinstance(model, nn.Module) or not list(model.parameters()):
        raise InputError(f"network {name} gives no torch module with parameters")
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            logits = model(torch.zeros(1, 1, *expected[2:]))
    except Exception as error:  # whatever the user's network raises
        raise InputError(f"network {name} cannot take {expected[2:]} images: {error}") from error
    model.train()
    shape = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
    if shape != expected:
        raise InputError(f"network {name} gives {shape}, expected logits of shape {expected}")


def parameter_count(model: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
