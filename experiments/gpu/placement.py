"""Check: every tensor that a strategy keeps lies on the device."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn

from cl_seg.runtime.serialise import from_bytes, to_bytes
from cl_seg.training.contract.strategy_under_test import StrategyUnderTest
from cl_seg.training.contract.tiny_training import random_experiences, train_on
from experiments.gpu.extent import Extent
from experiments.gpu.outcome import Check, CheckFailed, Figures, Part
from experiments.gpu.resume import NETWORK, tested, with_plugin


def placement_check(tiny: Extent) -> Check:
    """A part for every strategy that has a plugin."""
    parts = [
        Part(name, partial(placed, tested(NETWORK, name, tiny), tiny.device))
        for name in with_plugin()
    ]
    return Check("placement", True, parts)


def placed(strategy: StrategyUnderTest, device: torch.device) -> Figures:
    """Train three experiences and look at the plugin in every step, and when restored.

    Raises:
        CheckFailed: a tensor lies elsewhere; the reason names it.
    """
    plugin, model = strategy.make_plugin(), strategy.make_model()
    elsewhere: set[str] = set()
    most = 0

    def look(*_: Any) -> None:
        nonlocal most
        kept = dict(kept_tensors(plugin))
        elsewhere.update(misplaced(kept, device))
        most = max(most, sum(tensor.nbytes for tensor in kept.values()))

    model.register_forward_hook(look)
    watched = replace(strategy, make_plugin=lambda: plugin, make_model=lambda: model)
    for _ in train_on(watched, random_experiences(strategy.size)):
        look()
        if strategy.keeps_state:
            plugin.load_state_dict(from_bytes(to_bytes(plugin.state_dict()), None))
            look()
    if elsewhere:
        raise CheckFailed(f"not on {device}: {', '.join(sorted(elsewhere))}")
    return {"largest megabytes": round(most / 1e6, 3)}


def misplaced(kept: dict[str, Tensor], device: torch.device) -> list[str]:
    """Names of tensors that are not on a device, each with the one it is on.

    A device without a number stands for all of its kind.
    """
    return [
        f"{name} ({tensor.device})"
        for name, tensor in kept.items()
        if tensor.device.type != device.type or device.index not in {None, tensor.device.index}
    ]


def kept_tensors(owner: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """All tensors that an object's attributes hold, in modules, dicts, lists and other objects.

    Each has the path that leads to it.
    """
    if isinstance(owner, Tensor):
        yield name, owner
        return
    if isinstance(owner, nn.Module):
        inner: Any = owner.state_dict()
    elif isinstance(owner, list | tuple):
        inner = dict(enumerate(owner))
    else:
        inner = owner if isinstance(owner, dict) else getattr(owner, "__dict__", {})
    for key, value in inner.items():
        yield from kept_tensors(value, f"{name}.{key}" if name else str(key))
