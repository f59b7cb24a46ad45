"""Summary tables of a suite: one row per network and strategy."""

from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from cl_seg.analysis.results import Matrix, RunResult
from cl_seg.metrics.continual import (
    accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    plasticity,
)

SCORES: dict[str, Callable[[Matrix], float]] = {
    "ACC": accuracy,
    "BWT": backward_transfer,
    "FWT": forward_transfer,
    "forgetting": forgetting,
    "plasticity": plasticity,
}
NOT_EVALUABLE = "not evaluable"


def run_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """One row per run: what it is, its scores, and whether it is evaluable.

    For joint training only ACC is defined. ``validation`` is the Dice on validation slices after
    the last step, by which settings are chosen. ``false_positive_rate`` is the share of cases
    without the class in which it is found after the last stage, ``false_positive_cm2`` the mean
    area found in them; both NaN when every case has the class.
    """
    return pd.DataFrame([_run_row(result) for result in results])


def _run_row(result: RunResult) -> dict[str, object]:
    r = result.matrix()
    scores = {name: score(r) for name, score in SCORES.items() if not result.joint}
    per_class = {f"ACC {name}": accuracy(result.matrix(name)) for name in result.classes}
    missing = result.not_learned()
    last = result.cases[result.cases["stage"] == result.cases["stage"].max()]
    absent = last[last["true"] == 0]
    return {
        "run": result.record["run_id"],
        "model": result.model,
        "strategy": result.strategy,
        "order": " > ".join(result.order),
        "seed": result.record["spec"]["seed"],
        **dict.fromkeys(SCORES, np.nan),
        "ACC": accuracy(r),
        **scores,
        **per_class,
        "validation": _last_validation(result.curve),
        "missed_rate": last["missed"].mean(),
        "false_positive_rate": (absent["predicted"] > 0).mean() if len(absent) else np.nan,
        "false_positive_cm2": absent["false_positive_cm2"].mean() if len(absent) else np.nan,
        "stamp": "; ".join(result.stamps),
        "learned": not missing,
        "not_learned": "; ".join(missing),
        "train_seconds": sum(stage["train_seconds"] for stage in result.record["stages"]),
    }


def _last_validation(curve: pd.DataFrame) -> float:
    """Mean validation Dice over scanners and classes after the last step; NaN without a curve."""
    if curve.empty:
        return float("nan")
    stage = curve[curve["stage"] == curve["stage"].max()]
    return float(stage[stage["step"] == stage["step"].max()]["dice"].mean())


def summary_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean over orders and seeds, one row per network and strategy, in the suite's order.

    ``verdict`` is "not evaluable" when a run of the row did not learn one of its scanners; such a
    row must not be said to forget least.
    """
    numbers = [c for c in runs.columns if runs[c].dtype.kind == "f"]
    groups = runs.groupby(["model", "strategy"], sort=False)
    summary = groups[numbers].mean()
    summary.insert(0, "runs", groups.size())
    summary["stamp"] = groups["stamp"].first()
    summary["verdict"] = np.where(groups["learned"].all(), "", NOT_EVALUABLE)
    return summary.reset_index()


def shown_table(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary rounded for reading, with dashes where a score is not defined."""
    columns = [c for c in summary.columns if c in SCORES or c.startswith("ACC ")]
    columns += [c for c in ("false_positive_rate", "missed_rate") if summary[c].notna().any()]
    shown = summary[["model", "strategy", "runs", *columns, "verdict"]].copy()
    for column in columns:
        shown[column] = [_rounded(v, signed=column in ("BWT", "FWT")) for v in shown[column]]
    return shown.rename(columns={c: c.replace("_", " ") for c in columns})


def _rounded(value: float, signed: bool) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:+.3f}" if signed else f"{value:.3f}"


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown."""
    rows = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).values.tolist()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def cells(results: Sequence[RunResult]) -> dict[tuple[str, str], list[RunResult]]:
    """Runs by (network, strategy), in the suite's order."""

    def cell(result: RunResult) -> tuple[str, str]:
        return result.model, result.strategy

    return {key: list(group) for key, group in groupby(results, key=cell)}
