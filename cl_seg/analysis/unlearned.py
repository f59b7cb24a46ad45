"""Structures and scanners that runs did not learn, in words."""

import math
from collections.abc import Sequence
from itertools import islice

from cl_seg.analysis.intervals import random_factor
from cl_seg.analysis.many_scanners import MOST_SCANNERS
from cl_seg.records.results import RunResult


def describe_unlearned(runs: Sequence[RunResult]) -> str:
    """Structures and scanners below ``learned_dice`` in some runs, with the runs in which they are.

    ``liver 0.50 to 0.61 on A (below 0.80; seeds 0, 1), no test case of muscle on B``; empty where
    everything was learned. Of many scanners and structures the first ones are named.
    """
    failures: dict[tuple[str, str, float], list[tuple[float, RunResult]]] = {}
    for run in runs:
        for scanner, name, dice in run.unlearned():
            place = run.short_names[scanner], name, run.learned_dice[name]
            failures.setdefault(place, []).append((dice, run))
    several = len({tuple(run.order) for run in runs}) > 1
    named = [
        f"no test case of {name} on {scanner}"
        if math.isnan(dice_and_runs[0][0])
        else f"{name} {_span([dice for dice, _ in dice_and_runs], bound)} on {scanner} "
        f"(below {bound:.2f}; {_which([run for _, run in dice_and_runs], several)})"
        for (scanner, name, bound), dice_and_runs in islice(failures.items(), MOST_SCANNERS)
    ]
    more = len(failures) - len(named)
    return ", ".join([*named, f"{more} more"] if more else named)


def _span(values: Sequence[float], bound: float) -> str:
    """Range of values, with as many digits as show that all are below the bound."""
    digits = next((n for n in range(2, 6) if round(max(values), n) < bound), 6)
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return low if low == high else f"{low} to {high}"


def _which(runs: Sequence[RunResult], several_orders: bool) -> str:
    seeds = _listed(random_factor(runs)[:-1], [run.seed for run in runs])
    if runs[0].replicate or not several_orders:
        return seeds
    return f"{_listed('order', [run.order_number for run in runs])}; {seeds}"


def _listed(what: str, numbers: Sequence[int]) -> str:
    distinct = sorted(set(numbers))
    return f"{what}{'s' * (len(distinct) > 1)} {', '.join(map(str, distinct))}"
