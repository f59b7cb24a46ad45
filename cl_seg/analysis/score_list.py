"""The list of scores with the first line of their definitions, for the command line."""

from collections.abc import Callable
from typing import Any

from cl_seg.analysis.returns import LOST, REGAINED, RELEARNING_STEPS
from cl_seg.analysis.tables import SCORES
from cl_seg.metrics.continual import (
    extended_fwt,
    intransigence,
    rma,
    stability_gap,
    unseen_dice,
    worst_scanner,
)
from cl_seg.metrics.returns import lost_before_return, regained, steps_to_relearn

DEFINED_BY: dict[str, Callable[..., Any]] = {
    **SCORES,
    "intransigence": intransigence,
    "stability_gap": stability_gap,
    "E-FWT": extended_fwt,
    "RMA": rma,
    "worst_scanner": worst_scanner,
    "unseen_before, unseen_after": unseen_dice,
    LOST: lost_before_return,
    REGAINED: regained,
    RELEARNING_STEPS: steps_to_relearn,
}
"""Columns of ``runs.csv`` and ``summary.csv`` → the function that defines them."""


def score_definitions() -> dict[str, str]:
    """Score → its definition in one line, as its function has it."""
    lines = {name: (score.__doc__ or "").partition("\n")[0] for name, score in DEFINED_BY.items()}
    return {name: line.removeprefix(f"{name} = ") for name, line in lines.items()}
