"""Drops of Dice for every ordered pair of scanners: the cost of the second to the first's model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cl_seg.metrics.continual import Matrix
from cl_seg.records.results import RunResult

DROPS = ("transfer", "joint", "forgetting")
"""Columns of drops: on the unseen second scanner, with joint training, by forgetting."""


def is_pairs(results: Sequence[RunResult]) -> bool:
    """True where the streams of a suite are pairs of more than two scanners.

    One pair both ways is a stream like any other.
    """
    orders = {tuple(result.order) for result in results if not result.is_joint}
    scanners = {scanner for order in orders for scanner in order}
    return len(scanners) > 2 and all(len(order) == 2 for order in orders)


def pair_drops(results: Sequence[RunResult]) -> pd.DataFrame:
    """One row per run of a pair A → B; drops in Dice points (hundredths), positive is worse.

    Columns model, strategy, seed, first, second; ``learned`` R[1, A]; ``transfer`` R[1, A] −
    R[1, B], what the model of A loses on the unseen B; ``forgetting`` R[1, A] − R[2, A], what it
    loses on A by learning B, NaN where B is learned by another network; ``joint`` R[1, A] − R of
    joint training on B, what is left of the first drop when all scanners are learned together, NaN
    where they are not. Scores on simulated scanners are of the same bodies on both.
    """
    jointly = _joint_dice(results)
    rows = []
    for result in results:
        if result.is_joint or len(result.order) != 2:
            continue
        r = 100 * result.matrix()
        seed, (first, second) = result.seed, result.order
        rows.append({
            "model": result.network,
            "strategy": result.strategy,
            "seed": seed,
            "first": first,
            "second": second,
            "learned": r[1, 0],
            "transfer": r[1, 0] - r[1, 1],
            "forgetting": np.nan if result.training_regime == "single" else r[1, 0] - r[2, 0],
            "joint": r[1, 0] - jointly.get((result.network, seed, second), np.nan),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _joint_dice(results: Sequence[RunResult]) -> dict[tuple[str, int, str], float]:
    return {
        (result.network, result.seed, scanner): dice
        for result in results
        if result.is_joint
        for scanner, dice in zip(result.scanners, 100 * result.matrix()[-1], strict=True)
    }


def pair_matrix(
    drops: pd.DataFrame, firsts: Sequence[str], seconds: Sequence[str], column: str
) -> Matrix:
    """Mean over seeds of one drop, first scanner by second; NaN where a pair is missing."""
    table = drops.groupby(["first", "second"])[column].mean()
    values = [[table.get((a, b), np.nan) for b in seconds] for a in firsts]
    return np.array(values, dtype=float)


def pair_summary(drops: pd.DataFrame) -> pd.DataFrame:
    """One row per network and strategy: medians over pairs of the mean over seeds, and spread.

    Columns ``pairs``, ``seeds``, and of each drop its median, quartiles and largest value.
    """
    rows = []
    for (model, strategy), pairs in drops.groupby(["model", "strategy"], sort=False):
        means = pairs.groupby(["first", "second"])[list(DROPS)].mean()
        row: dict[str, object] = {
            "model": model,
            "strategy": strategy,
            "pairs": len(means),
            "seeds": pairs["seed"].nunique(),
            "learned": pairs["learned"].mean(),
        }
        for drop in DROPS:
            low, median, high = means[drop].quantile([0.25, 0.5, 0.75])
            row |= {drop: median, f"{drop} quartiles": f"{low:.1f} to {high:.1f}"}
            row |= {f"{drop} largest": means[drop].max()}
        rows.append(row)
    return pd.DataFrame(rows)
