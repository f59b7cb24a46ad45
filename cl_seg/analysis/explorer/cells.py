"""Cells of R with intervals, as a long table."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t

from cl_seg.analysis.explorer.thinning import left_out, widest_first
from cl_seg.analysis.intervals import LEVEL, ci_half_width
from cl_seg.analysis.many_scanners import shown_scanners
from cl_seg.records.matrices import leave_one_patient_out_dice
from cl_seg.records.results import RunResult

Values = npt.NDArray[np.float64]
MAX_ROWS = 40_000
"""Rows of single runs; about 1 MB of the page."""


@dataclass(frozen=True)
class Cells:
    """R of all runs as a long table, and what was left out of it.

    Attributes:
        table: columns network, strategy, regime, order, seed ("" for the mean over seeds), stage,
            label (name of the stage), scanner, dice, half_width, low, high (range over seeds),
            visited (the stage trains on the scanner) and learned (for the first time).
        notices: sentences.
    """

    table: pd.DataFrame
    notices: Sequence[str]


def cells_of(results: Sequence[RunResult]) -> Cells:
    """Dice of every stage on every scanner: of means over seeds, and of single runs.

    ``half_width`` is that of the 95 % interval for other patients, of means over two seeds or more
    for other patients and seeds. Of many scanners those are there that figures show.
    """
    scanners = shown_scanners(results)
    groups = _by_stream(results)
    means = [row for runs in groups for row in _rows(runs, scanners, "")]
    singles: list[dict[str, object]] = []
    shown = 0
    for run in widest_first(results):
        if len(singles) > MAX_ROWS:
            break
        singles += _rows([run], scanners, str(run.seed))
        shown += 1
    notices = left_out("Dice", shown, len(results), "runs.csv and the tables have all")
    return Cells(pd.DataFrame([*means, *singles]), notices)


def _by_stream(results: Sequence[RunResult]) -> list[list[RunResult]]:
    """Runs that differ in their seed alone."""

    def stream(run: RunResult) -> tuple[str, str, int, list[str]]:
        return run.network, run.strategy, run.order_number, run.order

    return [list(own) for _, own in groupby(sorted(results, key=stream), stream)]


def _rows(
    runs: Sequence[RunResult], scanners: Sequence[str], seed: str
) -> Iterator[dict[str, object]]:
    """Rows of the mean of some runs that differ in their seed."""
    first = runs[0]
    r = np.array([run.matrix() for run in runs])
    widths = _half_widths(runs)
    labels = ["untrained", *(["all"] if first.is_joint else first.stage_names)]
    learned = first.first_visits
    names = first.short_names
    for stage, label in enumerate(labels):
        for scanner in filter(learned.__contains__, scanners):
            j = first.scanners.index(scanner)
            dice = r[:, stage, j]
            if not np.isfinite(dice).all():
                continue
            visited = stage > 0 and (first.is_joint or scanner in first.visits[stage - 1])
            yield {
                "network": first.network,
                "strategy": first.strategy,
                "regime": first.training_regime,
                "order": first.order_number,
                "seed": seed,
                "stage": stage,
                "label": label,
                "scanner": names[scanner],
                "dice": dice.mean(),
                "half_width": widths[stage, j],
                "low": dice.min(),
                "high": dice.max(),
                "visited": visited,
                "learned": visited and not first.is_joint and stage == learned[scanner],
            }


def _half_widths(runs: Sequence[RunResult]) -> Values:
    """(N+1, S) half widths of the intervals of the mean of some runs; NaN without one."""
    values = [_patient_values(run) for run in runs]
    if len({one.shape for one in values}) > 1:
        return np.full(runs[0].matrix().shape, np.nan)
    stacked = np.stack(values, axis=-1)  # stages, patients, scanners, runs
    widths = np.full((stacked.shape[0], stacked.shape[2]), np.nan)
    for stage, scanner in np.ndindex(*widths.shape):
        cell = stacked[stage, :, scanner]
        cell = cell[np.isfinite(cell).all(axis=1)]
        widths[stage, scanner] = _half_width(cell)
    return widths


def _half_width(values: Values) -> float:
    """Of (patients, seeds): for other patients and seeds, of one seed for other patients."""
    patients, seeds = values.shape
    if seeds > 1:
        return ci_half_width(values)
    if patients < 2:
        return float("nan")
    error = values.std(ddof=1) / math.sqrt(patients)
    return float(t.ppf((1 + LEVEL) / 2, patients - 1) * error)


def _patient_values(run: RunResult) -> Values:
    """(N+1, P, S) jackknife pseudo-values of R; NaN where a patient was not scored on a scanner."""
    cases, r = run.cases, run.matrix()
    present = cases[cases["true"] > 0]
    patients = sorted(map(str, cases["patient"].unique()))
    seen = (
        pd.crosstab(present["patient"].astype(str), present["scanner"])
        .reindex(index=patients, columns=run.scanners, fill_value=0)
        .to_numpy()
        > 0
    )
    count = seen.sum(axis=0)
    values = np.full((len(r), len(patients), r.shape[1]), np.nan)
    for stage in range(len(r)):
        at = dict.fromkeys(run.scanners, stage)
        without = leave_one_patient_out_dice(cases, at, run.classes)[:, 0]
        values[stage] = count * r[stage] - (count - 1) * without
    values[:, ~seen] = np.nan
    return values
