"""Stability and plasticity over the weight of a penalty, from a suite with a grid over it."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cl_seg.records.results import RunResult
from cl_seg.records.run_spec import StrategySpec

MIN_WEIGHTS = 3  # values of a grid from which they are a curve
SCORES = ["plasticity", "plasticity ±", "BWT", "BWT ±"]
NEVER_UPDATED = "Never updated"


def penalty_curves(summary: pd.DataFrame, results: Sequence[RunResult]) -> pd.DataFrame:
    """A row per network, penalty and weight, and those that a curve is to be read beside.

    Columns model, strategy, weight, plasticity, ``plasticity ±``, BWT and ``BWT ±``, by rising
    weight. Rows without a weight are naive fine-tuning, and the network of the first scanner, never
    updated: tested on scanner j it has Dice R[1, j], so its plasticity is their mean and its BWT 0.
    It has no row where it was not tested on all scanners. Rows that are not evaluable are kept: a
    penalty so large that nothing is learned is one end of the curve. Empty without a grid of at
    least three weights.

    Args:
        summary: table of :func:`cl_seg.analysis.tables.summary_table`.
        results: the runs it was made from.
    """
    specs = {(run.network, run.strategy): run.record.spec.strategy for run in results}
    configurations = list(zip(summary["model"], summary["strategy"], strict=True))
    rows = summary[["model", "strategy", *SCORES]].copy()
    rows["weight"] = [penalty_weight(specs[one]) for one in configurations]
    rows["strategy"] = [_curve_name(specs[one], one[1]) for one in configurations]
    points = rows[rows["weight"].notna() & rows["BWT"].notna()]
    curves = points[
        points.groupby(["model", "strategy"])["weight"].transform("nunique") >= MIN_WEIGHTS
    ]
    if curves.empty:
        return curves
    naive = rows[[specs[one].name == "naive" for one in configurations]]
    references = pd.concat([naive, _never_updated(results)]).dropna(subset=["plasticity", "BWT"])
    shown = references[references["model"].isin(curves["model"])]
    return pd.concat([_by_weight(curves), shown], ignore_index=True)


def penalty_weight(strategy: StrategySpec) -> float:
    """λ of a strategy with a penalty on weights, NaN for others."""
    return float(strategy.settings.get(f"{strategy.name}_lambda", np.nan))


def _curve_name(strategy: StrategySpec, title: str) -> str:
    """Label of a strategy without the value of λ that a grid has added to it."""
    value = rf"-{strategy.name}_lambda=[\d.e+-]+?(?=-[a-z]|$)"
    return re.sub(value, "", title)


def _by_weight(curves: pd.DataFrame) -> pd.DataFrame:
    """Rows by rising weight within each curve, the curves in the order of the suite."""
    each = [
        own.sort_values("weight") for _, own in curves.groupby(["model", "strategy"], sort=False)
    ]
    return pd.concat(each)


def _never_updated(results: Sequence[RunResult]) -> pd.DataFrame:
    """The network after the first experience of naive runs, mean over orders and seeds."""
    found: dict[str, list[float]] = {}
    for run in results:
        if run.record.spec.strategy.name == "naive":
            found.setdefault(run.network, []).append(float(run.matrix()[1].mean()))
    return pd.DataFrame(
        {"model": model, "strategy": NEVER_UPDATED, "plasticity": np.mean(dice), "BWT": 0.0}
        for model, dice in found.items()
    )
