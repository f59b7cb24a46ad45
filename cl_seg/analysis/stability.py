"""The stability gap of a run, from the validation curve of its training."""

import numpy as np

from cl_seg.metrics.continual import stability_gap
from cl_seg.records.results import Matrix, RunResult


def stability_gap_of(result: RunResult) -> float:
    """Mean stability gap over the stages from the second on, classes averaged.

    From Dice on validation slices. NaN where scanners were not scored while training, or without
    the strategy's part in scoring.
    """
    points = result.validation
    if (
        points.empty
        or not result.validation_matches_test
        or result.training_regime not in {"sequential", "cumulative"}
    ):
        return float("nan")
    stages = points.index.get_level_values("stage").to_numpy()
    dice = points.reindex(columns=result.order).to_numpy(float)
    gaps = [
        _stage_gap(dice[stages == stage - 1], dice[stages == stage], stage - 1)
        for stage in range(2, len(result.order) + 1)
    ]
    return float(np.nanmean(gaps)) if np.isfinite(gaps).any() else float("nan")


def _stage_gap(before: Matrix, during: Matrix, earlier: int) -> float:
    """Stability gap between the (steps, scanners) Dice of two stages, on earlier scanners."""
    if not len(before) or not len(during):
        return float("nan")
    scored = np.isfinite(before[-1, :earlier])
    if not scored.any():
        return float("nan")
    return stability_gap(before[-1, :earlier][scored], during[:, :earlier][:, scored])
