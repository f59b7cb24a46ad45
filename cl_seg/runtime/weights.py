"""Weights from outside, put into a network."""

from collections.abc import Mapping
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cl_seg.messages.errors import InputError, one_line
from cl_seg.runtime.import_target import import_target


def load_weights_file(network: nn.Module, path: Path) -> None:
    """Load a state dict into a network, all of it and nothing else.

    Args:
        network: that is changed in place.
        path: of a file of safetensors, or of ``torch.save``; code in it is never unpickled.

    Raises:
        InputError: it cannot be read, or does not fit, naming the first tensors that do not.
    """
    weights = _read(path)
    if fault := misfit(weights, network.state_dict()):
        raise InputError(
            f"{path} does not fit the network: {fault}; to take a part of it, give "
            "`load: module:callable`"
        )
    network.load_state_dict(weights)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, "cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or one_line(error)}") from error
    except Exception as error:  # whatever damage or a pickle leads to
        raise InputError(f"{path} is damaged, or holds code, which is never read") from error
    if not isinstance(content, Mapping) or not all(isinstance(t, Tensor) for t in content.values()):
        parts = ", ".join(map(str, content)) if isinstance(content, Mapping) else type(content)
        raise InputError(
            f"{path} holds {parts}: expected a state dict, tensors by their names; to take a part "
            "of it, give `load: module:callable`"
        )
    return dict(content)


def call_loader(network: nn.Module, target: str) -> None:
    """Let ``module:callable`` load weights into a network.

    Args:
        network: given to it, and changed in place.
        target: ``module:callable``.

    Raises:
        InputError: it cannot be imported, fails, gives another network, or changes nothing.
    """
    loader = import_target(target, "load")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    try:
        given = loader(network)
    except Exception as error:  # whatever the user's code raises
        raise InputError(f"load {target} failed: {one_line(error)}") from error
    if given is not None and given is not network:
        raise InputError(f"load {target} gives another network: it must change the one it is given")
    after = network.state_dict()
    if fault := misfit(after, before):
        raise InputError(f"load {target} leaves a network that is another one: {fault}")
    if all(torch.equal(tensor, before[name]) for name, tensor in after.items()):
        raise InputError(f"load {target} changes no weight of the network")
    network.train()


def misfit(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """What is wrong with the weights of a network, "" for nothing.

    Args:
        weights: by name.
        expected: the network's own, by name.

    Returns:
        The first tensors that are missing, not known, of another shape, or not finite.
    """
    missing = [f"{name} is missing" for name in expected if name not in weights]
    unknown = [f"it has no {name}" for name in weights if name not in expected]
    pairs = {name: (weights[name], own) for name, own in expected.items() if name in weights}
    misshaped = [
        f"{name} has the shape {tuple(given.shape)}, expected {tuple(own.shape)}"
        for name, (given, own) in pairs.items()
        if given.shape != own.shape
    ]
    not_finite = [
        f"{name} holds NaN or infinite values"
        for name, (given, _) in pairs.items()
        if not given.isfinite().all()
    ]
    return "; ".join(
        fault for faults in (missing, unknown, misshaped, not_finite) for fault in faults[:1]
    )
