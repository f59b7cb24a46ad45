"""What the mirrors show of a finished run: its scores and its validation curve."""

import numpy as np

from cl_seg.analysis.tables import SCORES, is_defined
from cl_seg.records.results import RunResult

SHOWN = ("ACC", "BWT", "plasticity")
STEP = "optimiser_step"


def scores_of(result: RunResult) -> dict[str, float]:
    """ACC, BWT and plasticity, where they are defined, and the learning rate."""
    defined = [name for name in SHOWN if is_defined(name, result.training_regime)]
    scores = {name: float(result.score(SCORES[name])) for name in defined}
    scores = {name: value for name, value in scores.items() if np.isfinite(value)}
    rate = result.record.spec.learning_rate
    return scores if rate is None else {**scores, "learning_rate": rate}


def curve_of(result: RunResult) -> list[dict[str, float]]:
    """One dictionary per scored step, with the step counted over the whole stream."""
    lengths = [0, *(stage.steps for stage in result.record.stages)]
    before = {i: sum(lengths[:i]) for i in range(1, len(lengths))}
    curve = result.curve
    curve = curve.assign(**{STEP: curve["step"] + curve["stage"].map(before)})
    rows = []
    for step, points in curve.groupby(STEP):
        scores = zip(points["scanner"], points["class"], points["dice"], strict=True)
        row = {f"dice/{scanner}/{name}": float(dice) for scanner, name, dice in scores}
        rows.append({STEP: float(str(step)), **row})
    return rows
