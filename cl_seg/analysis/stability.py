"""The stability gap of a run, from the validation curve of its training."""

import numpy as np
import pandas as pd

from cl_seg.analysis.results import RunResult
from cl_seg.metrics.continual import stability_gap


def stability_gap_of(result: RunResult) -> float:
    """Mean over the stages from the second on; NaN where scanners were not scored while training.

    NaN too where the curve lacks the strategy's part in scoring.

    Dice on the validation slices, classes averaged.
    """
    curve = result.curve
    if (
        curve.empty
        or not result.curve_is_scored_alike
        or result.schedule not in {"sequential", "cumulative"}
    ):
        return float("nan")
    points = curve.groupby(["stage", "step", "scanner"])["dice"].mean().unstack("scanner")
    gaps = [
        _stage_gap(points, stage, result.order[: stage - 1])
        for stage in range(2, len(result.order) + 1)
    ]
    return float(np.nanmean(gaps)) if np.isfinite(gaps).any() else float("nan")


def _stage_gap(points: pd.DataFrame, stage: int, earlier: list[str]) -> float:
    scored = [scanner for scanner in earlier if scanner in points.columns]
    if not scored or stage - 1 not in points.index or stage not in points.index:
        return float("nan")
    before = points.loc[stage - 1, scored].iloc[-1].to_numpy(float)
    return stability_gap(before, points.loc[stage, scored].to_numpy(float))
