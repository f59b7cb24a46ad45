"""The list of strategies. A new one is a folder (or module) of its name and a line here."""

from functools import cache
from importlib import import_module

from cl_seg.runtime.static_import import has_methods
from cl_seg.strategies.strategy import PluginSettings, StateSaved, Strategy

NAMES = (
    "naive",
    "never_update",
    "replay",
    "agem",
    "der",
    "latent_replay",
    "ewc",
    "mas",
    "si",
    "rwalk",
    "lwf",
    "pod",
    "l2",
    "weight_averaging",
    "frozen_encoder",
    "frozen_statistics",
    "stale_statistics",
    "adabn",
    "test_statistics",
    "tent",
    "norm_per_scanner",
    "adapters",
    "single",
    "cumulative",
    "joint",
)
"""In the order of tables."""

STRATEGIES: dict[str, Strategy] = {
    name: import_module(f"cl_seg.strategies.{name}").STRATEGY for name in NAMES
}


def find_strategy(name: str) -> Strategy:
    """The strategy of a name, or one made for the ``module:callable`` of any plugin.

    Somebody else's plugin may be active from the first step on, and may do anything when an
    experience ends. Its state can be saved when it has ``state_dict`` and ``load_state_dict``.
    """
    return STRATEGIES[name] if name in STRATEGIES else _of_plugin(name)


@cache
def _of_plugin(target: str) -> Strategy:
    saved = has_methods(target, ("state_dict", "load_state_dict"))
    state_saved: StateSaved = "during_training" if saved else "never"
    title = target.partition(":")[2]
    return Strategy(
        title, PluginSettings, target, first_active_experience=1, state_saved=state_saved
    )
