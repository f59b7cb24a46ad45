"""Builds a network from its name."""

from collections.abc import Mapping
from contextlib import suppress
from inspect import Parameter, signature
from typing import Any

import torch
from torch import nn

from cl_seg.messages.errors import InputError
from cl_seg.messages.own_line import own_line
from cl_seg.models.registry import NETWORKS
from cl_seg.runtime.import_target import import_target

DOCUMENTED = ("in_channels", "out_channels", "image_size")
"""What the callable of a network takes; of these and MONAI's names for them, those it has."""


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
    offered = {"in_channels": 1, "out_channels": classes, "image_size": image_size}
    faults: tuple[type[Exception], ...] = (TypeError,)
    if name not in NETWORKS:
        faults = (TypeError, ValueError)
        offered = _taken(build, {**offered, "img_size": image_size, "spatial_dims": 2})
    try:
        model: nn.Module = build(**{**offered, **arguments})
    except faults as error:
        raise InputError(f"network {name} cannot be made: {error}{own_line(error)}") from error
    if name not in NETWORKS:
        _check_own(name, model, (1, classes, image_size, image_size))
    return model


def _taken(build: Any, offered: dict[str, int]) -> dict[str, int]:
    """The arguments that a callable takes by name, so that MONAI's networks can be named as is.

    A callable that takes any keyword, or tells nothing, is given what a builder is documented to
    take.
    """
    parameters: Mapping[str, Parameter] = {}
    with suppress(TypeError, ValueError):
        parameters = signature(build).parameters
    if not parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return {n: v for n, v in offered.items() if n in parameters or n in DOCUMENTED}
    return {name: value for name, value in offered.items() if name in parameters}


def _check_own(name: str, model: object, expected: tuple[int, ...]) -> None:
    if not isinstance(model, nn.Module) or not list(model.parameters()):
        raise InputError(f"network {name} gives no torch module with parameters")
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            logits = model(torch.zeros(1, 1, *expected[2:]))
    except Exception as error:  # whatever the user's network raises
        raise InputError(
            f"network {name} cannot take {expected[2:]} images: {error}{own_line(error)}"
        ) from error
    model.train()
    shape = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
    if shape != expected:
        raise InputError(f"network {name} gives {shape}, expected logits of shape {expected}")


def parameter_count(model: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
