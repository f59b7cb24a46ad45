"""Plugins of the user are held to the contract for masks before a suite is trained with them."""

from collections.abc import Iterable
from functools import partial

from cl_seg.messages.errors import InputError
from cl_seg.models.declared import NETWORKS
from cl_seg.planning.runs import Run


def check_own_plugins(runs: Iterable[Run], image_size: int) -> None:
    """Refuse a plugin that crashes on masks, does nothing, or is not what it says it keeps.

    Each is tried for some steps on each network it is for: a registered one on small images, one
    of the user's own at the suite's size. Plugins of this package are held to more than that by
    its tests, and what a suite says ``check: false`` of is left alone.

    Args:
        runs: those that are still to be computed.
        image_size: height and width of the suite's images.

    Raises:
        InputError: naming the strategy, the network and what was seen.
    """
    own = [run for run in runs if ":" in run.strategy.name and run.strategy.check]
    pairs = {(run.model.model_dump_json(), run.strategy.model_dump_json()): run for run in own}
    reasons = [reason for run in pairs.values() if (reason := _broken(run, image_size))]
    if reasons:
        advice = "`check: false` beside its name runs it all the same"
        raise InputError("\n".join([*reasons, f"see `cl-seg check-plugin`; {advice}"]))


def _broken(run: Run, image_size: int) -> str:
    # Torch is imported here: most suites need none in the process that plans them.
    from cl_seg.models.registry import build_model  # noqa: PLC0415
    from cl_seg.runtime.torch_setup import make_deterministic  # noqa: PLC0415
    from cl_seg.training.contract.check import ESSENTIAL, check_contract  # noqa: PLC0415
    from cl_seg.training.contract.subject import CLASSES, subject_of  # noqa: PLC0415

    make_deterministic(1)
    model, strategy = run.model, run.strategy
    size = NETWORKS[model.name].smallest_size if model.name in NETWORKS else image_size
    build = partial(build_model, model.name, model.preset, model.arguments, CLASSES, size)
    subject = subject_of(strategy.name, strategy.settings, build, size)
    for result in check_contract(subject, ESSENTIAL):
        if result.status != "passed":
            return f"strategy {strategy.name} on {model.label}, {result.check}: {result.detail}"
    return ""
