"""Secondary statistics: paired tests of patients with Holm's correction, and ranks of rows.

Never over seeds alone: seeds and orders are averaged first, patients are what is drawn again.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata, studentized_range, wilcoxon

from cl_seg.analysis.results import RunResult

Cells = Mapping[tuple[str, str], Sequence[RunResult]]
LastDice = Mapping[tuple[str, str], pd.DataFrame]
UNIT = ["scanner", "class"]
FEW = 50  # patients under which a warning is due
DRAWS = 1000


def last_dice(runs: Sequence[RunResult]) -> pd.DataFrame:
    """Dice after the last stage, seeds and orders averaged: rows patients, columns units.

    A unit is a scanner with a class. Cases without the class are NaN.
    """
    tables = []
    for run in runs:
        cases = run.cases
        chosen = (cases["stage"] == cases["stage"].max()) & (cases["true"] > 0)
        tables.append(cases[chosen & cases["scanner"].isin(run.order)])
    dice: pd.Series[float] = pd.concat(tables).groupby(["patient", *UNIT])["dice"].mean()
    table: pd.DataFrame = dice.unstack(UNIT)
    return table


def last_dices(cells: Cells) -> dict[tuple[str, str], pd.DataFrame]:
    """Dice after the last stage by (network, strategy), see :func:`last_dice`."""
    return {cell: last_dice(runs) for cell, runs in cells.items()}


def paired_tests(cells: LastDice) -> pd.DataFrame:
    """Wilcoxon's signed-rank test of every two networks with the same strategy.

    What is paired is a patient's mean Dice over units. Columns strategy, ``a``, ``b``,
    ``patients``, ``median`` (of a − b), ``p``, ``p_holm`` (Holm 1979, over all rows). Left out
    are pairs not tested on the same patients.
    """
    dice = {cell: table.mean(axis=1) for cell, table in cells.items()}
    rows = []
    for strategy in dict.fromkeys(strategy for _, strategy in cells):
        models = [model for model, own in cells if own == strategy]
        for a, b in combinations(models, 2):
            ours, theirs = dice[a, strategy], dice[b, strategy]
            if not ours.index.equals(theirs.index):
                continue
            gain = (ours - theirs).to_numpy(float)
            p = float(wilcoxon(gain).pvalue) if np.any(gain) else 1.0
            rows.append({
                "strategy": strategy, "a": a, "b": b, "patients": len(gain),
                "median": float(np.median(gain)), "p": p,
            })  # fmt: skip
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p"].to_numpy(float))) if rows else table


def holm(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """p-values corrected step by step (Holm 1979, Scandinavian Journal of Statistics 6:65).

    The k-th smallest of n is multiplied by n − k + 1; none is smaller than one before it.
    """
    order = np.argsort(p)
    steps = np.maximum.accumulate(np.minimum(1.0, p[order] * np.arange(len(p), 0, -1)))
    corrected = np.empty_like(p)
    corrected[order] = steps
    return corrected


def mean_ranks(cells: LastDice, strategy: str, draws: int = DRAWS) -> pd.DataFrame:
    """Rank of every network with a strategy, mean over units, 1 the highest Dice.

    Columns model, ``rank``, and its 95 % interval ``low`` to ``high`` by drawing patients anew,
    on all scanners together. Empty with fewer than two networks on the same patients.
    """
    tables = _alike(cells, strategy)
    if not tables:
        return pd.DataFrame(columns=["model", "rank", "low", "high"])
    dice = np.stack([table.to_numpy(float) for table in tables.values()])
    patients = dice.shape[1]
    drawn = np.random.default_rng(0).multinomial(patients, [1 / patients] * patients, size=draws)
    low, high = np.quantile(_ranks(dice, drawn).mean(axis=2), [0.025, 0.975], axis=1)
    rank = _ranks(dice)[:, 0].mean(axis=1)
    return pd.DataFrame({"model": list(tables), "rank": rank, "low": low, "high": high})


def unit_ranks(cells: LastDice, strategy: str) -> pd.DataFrame:
    """Rank of every network (columns) with a strategy in every unit (rows); maybe empty."""
    tables = _alike(cells, strategy)
    if not tables:
        return pd.DataFrame()
    ranks = _ranks(np.stack([table.to_numpy(float) for table in tables.values()]))[:, 0]
    return pd.DataFrame(ranks.T, index=next(iter(tables.values())).columns, columns=list(tables))


def _alike(cells: LastDice, strategy: str) -> dict[str, pd.DataFrame]:
    """Last Dice by network; none where fewer than two were tested on the same patients."""
    tables = {m: table for (m, own), table in cells.items() if own == strategy}
    shapes = [(tuple(table.index), tuple(table.columns)) for table in tables.values()]
    return tables if len(tables) > 1 and len(set(shapes)) == 1 else {}


def _ranks(
    dice: npt.NDArray[np.float64], times: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.float64]:
    """(networks, patients, units) Dice → (networks, draws, units) ranks of the means; ties share.

    ``times`` is how often each draw has each patient, (draws, patients); by default one draw has
    every patient once. NaN takes no part in a mean.
    """
    times = np.ones((1, dice.shape[1]), np.int64) if times is None else times
    with np.errstate(invalid="ignore"):
        means = (times @ np.nan_to_num(dice)) / (times @ np.isfinite(dice).astype(float))
    ranks: npt.NDArray[np.float64] = rankdata(-means, axis=0)
    return ranks


def critical_difference(networks: int, units: int, level: float = 0.95) -> float:
    """Difference of mean ranks that Nemenyi's test calls real (Demšar 2006, JMLR 7:1, 3.2.2).

    ``q · √(k (k + 1) / (6 N))`` for k networks and N units, with q the quantile of the studentized
    range over √2. Units of the same patients are not independent: descriptive only.
    """
    q = studentized_range.ppf(level, networks, np.inf) / math.sqrt(2)
    return float(q * math.sqrt(networks * (networks + 1) / (6 * units)))
