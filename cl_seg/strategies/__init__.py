"""Continual-learning strategies as Avalanche plugins that are right for dense targets.

::

    from cl_seg.strategies import EWC, Replay
    EWC(ewc_lambda=1e-4)

A strategy is a folder: its ``__init__`` holds settings and a :class:`.strategy.Strategy`, without
torch, and ``plugin`` the Avalanche plugin. ``shared`` is the code that several of them use,
``registry`` the list of all, and ``build`` makes a plugin from a name. The plugins are imported on
first use (PEP 562), so that planning needs no torch.

A plugin that some networks have no part for has a method ``require_network(model)``, which raises
an InputError for them; a suite is refused with its reason before anything is trained.

In the hooks of a plugin the argument ``strategy`` is the training loop,
:class:`cl_seg.training.loop.DenseTraining`: Avalanche names it so.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    module = _plugins().get(name)
    if module is None:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(_plugins())


def _plugins() -> dict[str, str]:
    """Class of every plugin → its module."""
    strategies = import_module(f"{__name__}.registry").STRATEGIES.values()
    targets = [strategy.plugin.split(":") for strategy in strategies if strategy.plugin]
    return {name: module for module, name in targets}
