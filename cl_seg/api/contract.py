"""Checks that strategies, and any Avalanche plugin, work on segmentation masks."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.models.declared import NETWORKS
from cl_seg.runtime.import_path import check_target
from cl_seg.strategies.declared import STRATEGIES


def check_plugin(
    plugin: str, settings: Mapping[str, Any] | None = None, *, network: str = "unet"
) -> pd.DataFrame:
    """Check that an Avalanche plugin works on segmentation masks (docs/stages.md).

    A few training steps on tiny images show whether it runs, changes the weights, keeps its state,
    and leaves the rest of the training alone.

    Args:
        plugin: ``module:callable``; the module is installed, or in the current folder.
        settings: keyword arguments of the callable.
        network: label of the network to check it on.

    Returns:
        A row per point: point, kept, detail.

    Raises:
        InputError: no such module, callable or network.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if ":" not in plugin:
        raise InputError(f"{plugin}: expected module:callable, as in my_plugins:Plugin")
    check_target(plugin, Path("check_plugin"))
    _known([network], list(NETWORKS), "network")
    return pd.DataFrame(_points(plugin, dict(settings or {}), network))


def check_strategies(
    strategies: Sequence[str] = (),
    networks: Sequence[str] = (),
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Check that strategies work on segmentation masks, on every network.

    Args:
        strategies: their names; all by default.
        networks: names of networks; all by default.
        tell: called with the number of pairs done and of all.

    Returns:
        A row per network, strategy and point: network, strategy, point, kept, detail.

    Raises:
        InputError: there is no such strategy or network.
    """
    names = _known(strategies, [n for n, s in STRATEGIES.items() if s.plugin], "strategy")
    networks = _known(networks, list(NETWORKS), "network")
    rows: list[dict[str, Any]] = []
    for done, (network, name) in enumerate((n, s) for n in networks for s in names):
        tell(done, len(networks) * len(names))
        points = _points(name, {}, network)
        rows += [{"network": network, "strategy": name, **point} for point in points]
    return pd.DataFrame(rows)


def _points(name: str, settings: dict[str, Any], network: str) -> list[dict[str, Any]]:
    from cl_seg.models.registry import build_model  # noqa: PLC0415 - torch, slow
    from cl_seg.training.contract.check import check_contract  # noqa: PLC0415
    from cl_seg.training.contract.subject import CLASSES, subject_of  # noqa: PLC0415

    size = NETWORKS[network].smallest_size
    build = partial(build_model, network, "small", {}, CLASSES, size)
    return [vars(point) for point in check_contract(subject_of(name, settings, build, size))]


def _known(names: Sequence[str], known: list[str], what: str) -> list[str]:
    for name in names:
        if name not in known:
            raise InputError(f"{what} {name} is not one of {', '.join(known)}")
    return list(names) or known
