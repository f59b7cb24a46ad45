"""From a suite to the list of its runs."""

from collections import Counter
from dataclasses import replace

from cl_seg.messages.errors import InputError
from cl_seg.planning.months import Months
from cl_seg.planning.runs import Run
from cl_seg.planning.seed_curve_runs import seed_curve_runs
from cl_seg.planning.streams import stream_runs
from cl_seg.planning.update_runs import update_runs
from cl_seg.spec.read import AnySuite
from cl_seg.spec.suite import StreamSuite
from cl_seg.spec.update import UpdateSuite


def plan_runs(suite: AnySuite, scanners: list[str], months: Months = ()) -> list[Run]:
    """All runs of a suite, in a fixed order.

    Args:
        suite: what to run.
        scanners: what the data offer.
        months: of a stream by months, see :func:`cl_seg.planning.months.scanners_of_months`.

    Raises:
        InputError: it names an unknown scanner, what has no place in it, or two runs alike.
    """
    if isinstance(suite, StreamSuite):
        runs = [replace(run, months=months) for run in stream_runs(suite, scanners)]
    elif isinstance(suite, UpdateSuite):
        runs = update_runs(suite, scanners)
    else:
        runs = seed_curve_runs(suite, scanners)
    _require_folders_apart(runs)
    return runs


def _require_folders_apart(runs: list[Run]) -> None:
    """Refuse labels of networks and strategies that, put together, name two runs alike."""
    counts = Counter(run.run_id for run in runs)
    for run in runs:
        if counts[run.run_id] > 1:
            raise InputError(
                f"two runs would be called {run.run_id}, one of {run.model.label} with "
                f"{run.strategy.label}: give the network or the strategy another `label`"
            )
