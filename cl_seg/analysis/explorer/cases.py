"""Dice of test cases in every cell of R, small enough for a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cl_seg.analysis.explorer.thinning import left_out, widest_first
from cl_seg.analysis.many_scanners import shown_scanners
from cl_seg.records.results import RunResult

MAX_VALUES = 120_000
"""Dice of cases on a page; about half a megabyte."""
Dice = list[list[list[list[int | None] | None]]]


@dataclass(frozen=True)
class CaseScores:
    """Dice of cases of as many runs as a page has room for.

    Attributes:
        names: name of a scanner → names of its cases.
        runs: network, strategy, order and seed of runs, and their ``dice`` in thousandths, by
            stage, scanner, class and case, in the order of ``names``; None where there is none.
        notices: sentences on what was left out.
    """

    names: dict[str, list[str]]
    runs: list[dict[str, Any]]
    notices: Sequence[str]


def case_scores_of(results: Sequence[RunResult]) -> CaseScores:
    """Scores of cases of the first run of every network and strategy, then of more runs."""
    first = results[0]
    scanners = shown_scanners(results)
    cases = {scanner: _case_names(results, scanner) for scanner in scanners}
    runs: list[dict[str, Any]] = []
    values = 0
    for run in widest_first(results):
        if values > MAX_VALUES:
            break
        dice = [_by_scanner(own, run, cases) for _, own in run.cases.groupby("stage")]
        values += len(dice) * len(run.classes) * sum(map(len, cases.values()))
        runs.append({**identity(run), "dice": dice})
    names = {first.short_names[scanner]: own for scanner, own in cases.items()}
    place = "`cases.parquet` of the results has all"
    return CaseScores(names, runs, left_out("Scores of cases", len(runs), len(results), place))


def identity(run: RunResult) -> dict[str, Any]:
    """What tells a run from others of the suite."""
    return {
        "network": run.network,
        "strategy": run.strategy,
        "order": run.order_number,
        "seed": str(run.seed),
    }


def _case_names(results: Sequence[RunResult], scanner: str) -> list[str]:
    """Cases on a scanner, of the first run that was tested on it."""
    run = next(run for run in results if scanner in run.scanners)
    cases = run.cases
    return sorted(map(str, cases.loc[cases["scanner"] == scanner, "case"].unique()))


def _by_scanner(
    cases: pd.DataFrame, run: RunResult, names: dict[str, list[str]]
) -> list[list[list[int | None]] | None]:
    """Dice after a stage by scanner, class and case; None for a scanner that was not tested."""
    found: list[list[list[int | None]] | None] = []
    for scanner, own in names.items():
        here = cases[(cases["scanner"] == scanner) & (cases["true"] > 0)]
        dice = here.astype({"case": str}).set_index(["class", "case"])["dice"]
        each = [dice.get(name, pd.Series(dtype=float)).reindex(own) for name in run.classes]
        found.append([_thousandths(values) for values in each] if len(here) else None)
    return found


def _thousandths(values: "pd.Series[float]") -> list[int | None]:
    return [round(1000 * value) if np.isfinite(value) else None for value in values]
