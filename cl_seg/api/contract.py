"""Checks that strategies, and any Avalanche plugin, work on segmentation masks."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.models.registry import NETWORKS, OF_THE_STUDY
from cl_seg.runtime.static_import import check_target
from cl_seg.runtime.workers import CORES, map_in_order
from cl_seg.strategies.registry import STRATEGIES


def check_plugin(
    plugin: str, settings: Mapping[str, Any] | None = None, *, model: str = "unet"
) -> pd.DataFrame:
    """Check that an Avalanche plugin works on segmentation masks (docs/strategies.md).

    A few short trainings on random masks show whether it runs, has an effect, can be resumed from
    its saved state, and changes nothing else.

    Args:
        plugin: ``module:callable``, the module beside you or installed.
        settings: keyword arguments of the callable.
        model: name of the network it is tried on.

    Returns:
        A row per check: check, status (passed, failed or refused), detail.

    Raises:
        InputError: no such module, callable or network.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if ":" not in plugin:
        raise InputError(f"{plugin}: expected module:callable, as in my_plugins:Plugin")
    check_target(plugin, Path("check_plugin"))
    (network,) = _known([model], list(NETWORKS), "network")
    return pd.DataFrame(_checks(plugin, dict(settings or {}), network))


def check_strategies(
    strategies: Sequence[str] = (),
    models: Sequence[str] = (),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Check that strategies work on segmentation masks, on several networks.

    Args:
        strategies: their names; all by default.
        models: names of networks; those of the study by default.
        on_progress: called with the number of pairs done and of all.

    Returns:
        A row per network, strategy and check: network, strategy, check, status (passed, failed
        or refused), detail.

    Raises:
        InputError: a name is not known.
    """
    names = _known(strategies, [n for n, s in STRATEGIES.items() if s.plugin], "strategy")
    networks = _known(models or OF_THE_STUDY, list(NETWORKS), "network")
    rows: list[dict[str, Any]] = []
    pairs = [(network, name) for network in networks for name in names]
    with map_in_order(_checks_of_pair, pairs, min(CORES, len(pairs))) as results:
        for done, found in enumerate(results, start=1):
            rows += found
            on_progress(done, len(pairs))
    return pd.DataFrame(rows)


def _checks_of_pair(pair: tuple[str, str]) -> list[dict[str, Any]]:
    network, name = pair
    names = {"network": network, "strategy": name}
    return [{**names, **check} for check in _checks(name, {}, network)]


def _checks(name: str, settings: dict[str, Any], network: str) -> list[dict[str, Any]]:
    import cl_seg.runtime.torch_setup  # noqa: F401, PLC0415  # isort: skip
    import torch  # noqa: PLC0415 - slow

    from cl_seg.models.build import build_model  # noqa: PLC0415
    from cl_seg.training.contract.run_checks import check_contract  # noqa: PLC0415
    from cl_seg.training.contract.strategy_under_test import CLASSES, strategy_under_test  # noqa: PLC0415

    size = NETWORKS[network].smallest_size
    build = partial(build_model, network, "small", {}, CLASSES, size)
    tested = strategy_under_test(name, settings, build, size)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine, more make such tiny trainings many times slower
    try:
        return [vars(result) for result in check_contract(tested)]
    finally:
        torch.set_num_threads(threads)


def _known(given: Sequence[str], known: list[str], what: str) -> list[str]:
    for name in given:
        if name not in known:
            raise InputError(f"{what} {name} is not one of {', '.join(known)}")
    return list(given) or known
