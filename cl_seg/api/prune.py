"""Finished stages that no suite needs any more, removed."""

from collections.abc import Sequence
from pathlib import Path

from cl_seg.api.plan import STAGES
from cl_seg.api.stores import AnyPath
from cl_seg.api.suite import Suite
from cl_seg.messages.errors import InputError
from cl_seg.planning import plan as planning
from cl_seg.planning.checked_suite import check_suite
from cl_seg.suite.cache import StageCache


def prune_stages(
    keep_suites: Sequence[Suite], cache: AnyPath = STAGES, processor: str = ""
) -> tuple[int, int]:
    """Remove the finished stages that the suites do not need; results stay.

    Args:
        keep_suites: suites whose stages are kept.
        cache: folder of finished stages.
        processor: CPU instructions or GPU model of the machine that computes the stages; this
            machine's by default.

    Returns:
        Bytes removed and bytes kept.

    Raises:
        InputError: a suite's data are still to be simulated, so that its stages are not known.
    """
    stage_cache = StageCache(Path(cache))
    needed: set[str] = set()
    for suite in keep_suites:
        checked = check_suite(suite.source, suite.data, processor)
        plan = planning.resolve_checked(checked, stage_cache.folder)
        if not plan.has_data:
            raise InputError(
                f"{checked.title}: its simulated data are not here, nor can its stages be known"
            )
        needed |= plan.stages.keys()
    before = sum(stage_cache.sizes().values())
    stage_cache.prune(needed)
    after = sum(stage_cache.sizes().values())
    return before - after, after
