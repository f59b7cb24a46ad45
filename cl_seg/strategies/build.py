"""Builds the Avalanche plugin of a strategy from its name."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip

from cl_seg.messages.errors import InputError
from cl_seg.runtime.avalanche import BasePlugin
from cl_seg.runtime.import_target import import_target
from cl_seg.runtime.torch_setup import seed_everything
from cl_seg.strategies.registry import STRATEGIES


def build_plugin(name: str, settings: dict[str, Any], seed: int) -> Any:
    """Make a strategy's plugin as it is before the first experience; None where it needs none.

    Args:
        name: registered strategy, or ``module:Class`` of an Avalanche plugin.
        settings: keyword arguments of the plugin.
        seed: of all that the plugin draws, and of what a ``module:Class`` draws when it is made.

    Raises:
        InputError: a setting is wrong; ``module:Class`` cannot be imported or made, or is no
            plugin.
    """
    if name not in STRATEGIES:
        seed_everything(seed)
        return _own_plugin(name, settings)
    target = STRATEGIES[name].plugin
    if target is None:
        return None
    return import_target(target, "strategy")(**settings, seed=seed)


def _own_plugin(target: str, settings: dict[str, Any]) -> BasePlugin:
    make = import_target(target, "strategy")
    try:
        plugin = make(**settings)
    except TypeError as error:
        raise InputError(
            f"strategy {target} cannot be made with settings {settings}: {error}"
        ) from error
    if not isinstance(plugin, BasePlugin):
        raise InputError(f"strategy {target} gives a {type(plugin).__name__}, no Avalanche plugin")
    return plugin
