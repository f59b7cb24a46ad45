"""Scores of a run's returns to scanners: what was lost until then, and how it comes back."""

import numpy as np

from cl_seg.metrics.returns import Return, lost_before_return, regained, steps_to_relearn
from cl_seg.records.results import RunResult

LOST, REGAINED, RELEARNING_STEPS = "lost_before_return", "regained", "relearning_steps"
RETURN_SCORES = (LOST, REGAINED, RELEARNING_STEPS)
ONE_NETWORK = {"sequential", "cumulative"}
"""Training regimes in which a network goes from scanner to scanner."""


def return_scores(result: RunResult) -> dict[str, float]:
    """The scores of :mod:`cl_seg.metrics.returns` of a run; empty without a return.

    ``lost_before_return`` and ``regained`` are of test Dice. ``relearning_steps`` is of Dice on
    validation slices, mean over returns: NaN where one of them never reaches the Dice of the first
    visit again, without a curve, or without the strategy's part in scoring.
    """
    if not result.returns or result.training_regime not in ONE_NETWORK:
        return {}
    r = result.matrix()
    steps = [_relearning_steps(result, found) for found in result.returns]
    return {
        LOST: lost_before_return(r, result.returns),
        REGAINED: regained(r, result.returns),
        RELEARNING_STEPS: float(np.mean(steps)),
    }


def _relearning_steps(result: RunResult, found: Return) -> float:
    scanner = result.scanners[found.scanner]
    if not result.validation_matches_test or scanner not in result.validation:
        return float("nan")
    dice = result.validation[scanner]
    learned, before = (dice.loc[stage].iloc[-1] for stage in (found.first, found.back - 1))
    during = dice.loc[found.back]
    return steps_to_relearn(learned, before, list(zip(during.index, during, strict=True)))
