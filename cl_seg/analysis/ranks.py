"""Secondary statistics: paired tests of patients with Holm's correction, and ranks of rows.

Never over seeds alone: seeds and orders are averaged first, over those that all networks compared
have; patients are what is drawn again.
"""

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata, studentized_range, wilcoxon

from cl_seg.records.results import RunResult

RunsByConfiguration = Mapping[tuple[str, str], Sequence[RunResult]]
LastDice = Mapping[tuple[str, str], pd.DataFrame]
UNIT = ["scanner", "class"]
FEW_PATIENTS = 50  # fewer are warned of
DRAWS = 1000


def last_dice(runs: Sequence[RunResult]) -> pd.DataFrame:
    """Dice after the last stage: rows ``run`` (its order and seed) and patient, columns units.

    A unit is a scanner with a class. Cases without the class are NaN.
    """
    tables = []
    for run in runs:
        cases = run.last_cases
        tables.append(cases[(cases["true"] > 0) & cases["scanner"].isin(run.scanners)])
    keys = [f"{run.order} {run.seed}" for run in runs]
    cases = pd.concat(tables, keys=keys, names=["run"])
    dice: pd.Series[float] = cases.groupby(["run", "patient", *UNIT])["dice"].mean()
    table: pd.DataFrame = dice.unstack(UNIT)
    return table


def last_dice_by_configuration(
    by_configuration: RunsByConfiguration,
) -> dict[tuple[str, str], pd.DataFrame]:
    """Dice after the last stage by (network, strategy), see :func:`last_dice`."""
    return {configuration: last_dice(runs) for configuration, runs in by_configuration.items()}


def paired_means(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables of :func:`last_dice` by network, averaged over the orders and seeds that all have.

    Rows are patients, columns units. Empty with fewer than two networks, without such an order and
    seed, or where patients or units differ.
    """
    if len(tables) < 2:
        return {}
    runs = {name: table.index.get_level_values("run") for name, table in tables.items()}
    common = reduce(pd.Index.intersection, runs.values())
    chosen = {name: table[runs[name].isin(common)] for name, table in tables.items()}
    means = {
        name: table.groupby(level="patient").mean().dropna(axis=1, how="all")
        for name, table in chosen.items()
    }
    shapes = {(tuple(mean.index), tuple(mean.columns)) for mean in means.values()}
    return means if len(common) and len(shapes) == 1 else {}


def paired_tests(last_dice: LastDice) -> pd.DataFrame:
    """Wilcoxon's signed-rank test of every two networks with the same strategy.

    What is paired is a patient's mean Dice over units, orders and seeds that both have. Columns
    strategy, ``a``, ``b``, ``patients``, ``median`` (of a − b), ``p``, ``p_holm`` (Holm 1979, over
    all rows). Left out are pairs without such an order and seed, or not tested on the same
    patients.
    """
    rows = []
    for strategy in dict.fromkeys(strategy for _, strategy in last_dice):
        models = [model for model, name in last_dice if name == strategy]
        for a, b in combinations(models, 2):
            sides = paired_means({model: last_dice[model, strategy] for model in (a, b)})
            if not sides:
                continue
            gain = (sides[a].mean(axis=1) - sides[b].mean(axis=1)).to_numpy(float)
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


def mean_ranks(last_dice: LastDice, strategy: str, draws: int = DRAWS) -> pd.DataFrame:
    """Rank of every network with a strategy, mean over units, 1 the highest Dice.

    Columns model, ``rank``, and its 95 % interval ``low`` to ``high`` by drawing patients anew,
    on all scanners together, NaN with one patient; a draw says nothing on a unit that none of its
    patients has. Empty with fewer than two networks, or nothing to pair them by.
    """
    tables = _of_strategy(last_dice, strategy)
    if not tables:
        return pd.DataFrame(columns=["model", "rank", "low", "high"])
    dice = np.stack([table.to_numpy(float) for table in tables.values()])
    patients = dice.shape[1]
    drawn = np.random.default_rng(0).multinomial(patients, [1 / patients] * patients, size=draws)
    of_draws = np.nanmean(_ranks(dice, drawn), axis=2)
    low, high = np.nanquantile(of_draws, [0.025, 0.975], axis=1)
    if patients < 2:
        low = high = np.full(len(tables), np.nan)
    rank = _ranks(dice)[:, 0].mean(axis=1)
    return pd.DataFrame({"model": list(tables), "rank": rank, "low": low, "high": high})


def unit_ranks(last_dice: LastDice, strategy: str) -> pd.DataFrame:
    """Rank of every network (columns) with a strategy in every unit (rows); maybe empty."""
    tables = _of_strategy(last_dice, strategy)
    if not tables:
        return pd.DataFrame()
    ranks = _ranks(np.stack([table.to_numpy(float) for table in tables.values()]))[:, 0]
    return pd.DataFrame(ranks.T, index=next(iter(tables.values())).columns, columns=list(tables))


def _of_strategy(last_dice: LastDice, strategy: str) -> dict[str, pd.DataFrame]:
    """Last Dice of every network with a strategy, see :func:`paired_means`."""
    return paired_means(
        {model: table for (model, name), table in last_dice.items() if name == strategy}
    )


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
