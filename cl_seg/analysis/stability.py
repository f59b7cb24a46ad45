"""The stability gap of a run, from the validation curve of its training."""

import numpy as np

from cl_seg.metrics.continual import Matrix, stability_gap
from cl_seg.records.results import RunResult


def stability_gap_of(result: RunResult) -> float:
    """Mean stability gap over the stages from the second on, classes averaged.

    Of every stage on the scanners learned before, but for one that the stage returns to.

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
    dice = points.reindex(columns=result.scanners).to_numpy(float)
    gaps = []
    for stage, trained in enumerate(result.order[1:], start=2):
        earlier = [first < stage and s != trained for s, first in result.first_visits.items()]
        before, during = (dice[stages == at][:, earlier] for at in (stage - 1, stage))
        gaps.append(_stage_gap(before, during))
    return float(np.nanmean(gaps)) if np.isfinite(gaps).any() else float("nan")


def _stage_gap(before: Matrix, during: Matrix) -> float:
    """Stability gap between the (steps, earlier scanners) Dice of two stages."""
    if not len(before) or not len(during):
        return float("nan")
    scored = np.isfinite(before[-1])
    if not scored.any():
        return float("nan")
    return stability_gap(before[-1, scored], during[:, scored])
