"""Which runs of a large suite a page has room for."""

from collections.abc import Sequence

from cl_seg.analysis.tables import runs_by_configuration
from cl_seg.records.results import RunResult


def widest_first(results: Sequence[RunResult]) -> list[RunResult]:
    """The runs, so that the first ones are of as many networks and strategies as possible.

    The first run of every network and strategy comes first, then the second ones, and so on.
    """
    ranked = [
        (rank, run)
        for runs in runs_by_configuration(results).values()
        for rank, run in enumerate(runs)
    ]
    return [run for _, run in sorted(ranked, key=lambda item: item[0])]


def left_out(what: str, shown: int, runs: int, where: str) -> list[str]:
    """A sentence on what the page has not, none where it has everything.

    Args:
        what: what was thinned, a plural.
        shown: runs of which the page has them.
        runs: all runs.
        where: place of all of them.
    """
    if shown == runs:
        return []
    return [f"{what} of {shown} of {runs} runs are on this page, to keep it small; {where}."]
