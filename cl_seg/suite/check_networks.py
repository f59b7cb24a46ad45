"""Refuses strategies that have no effect on a network, before a suite is trained."""

from collections.abc import Iterable

from cl_seg.messages.errors import InputError
from cl_seg.planning.runs import Run
from cl_seg.runtime.static_import import has_methods
from cl_seg.strategies.registry import find_strategy


def check_networks(runs: Iterable[Run], classes: int, image_size: int) -> None:
    """Ask the plugin of every strategy whether it can act on its networks.

    Networks are built for plugins with a ``require_network`` alone: most suites need no torch in
    the process that plans them.

    Args:
        runs: those that are still to be computed.
        classes: output channels, background included.
        image_size: height and width of the suite's images.

    Raises:
        InputError: naming each strategy and network, and the reason.
    """
    asked = [run for run in runs if _asks_for_a_network(run)]
    pairs = {(run.model.model_dump_json(), run.strategy.model_dump_json()): run for run in asked}
    reasons = [reason for run in pairs.values() if (reason := _reason(run, classes, image_size))]
    if reasons:
        advice = "`networks: [...]` beside the name of a strategy lists those that it is for"
        raise InputError("\n".join([*dict.fromkeys(reasons), advice]))


def _asks_for_a_network(run: Run) -> bool:
    target = find_strategy(run.strategy.name).plugin
    return target is not None and has_methods(target, ("require_network",))


def _reason(run: Run, classes: int, image_size: int) -> str:
    from cl_seg.models.build import build_model  # noqa: PLC0415
    from cl_seg.strategies.build import build_plugin  # noqa: PLC0415

    model = run.model
    network = build_model(model.name, model.preset, model.arguments, classes, image_size)
    try:
        build_plugin(run.strategy.name, run.strategy.settings, 0).require_network(network)
    except InputError as error:
        return f"strategy {run.strategy.label} on {model.label}: {error}"
    return ""
