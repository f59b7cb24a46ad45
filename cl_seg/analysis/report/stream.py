"""Tables of streams of scanners: scores, gains over fine-tuning, costs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.tables import (
    NOT_EVALUABLE,
    difference_table,
    shown_costs,
    shown_differences,
    shown_table,
)
from cl_seg.analysis.unlearned import describe_unlearned
from cl_seg.records.results import RunResult

DEFINITIONS = {
    "ACC": "mean Dice over all scanners after the last stage",
    "BWT": "mean change of Dice on a scanner from right after learning it to the end; "
    "negative is forgetting",
    "FWT": "mean gain over the untrained model on a scanner not yet learned",
    "forgetting": "mean drop from the best Dice ever had before the last stage; biased upwards "
    "by noise, so claims use BWT",
    "plasticity": "mean Dice right after learning; read it beside BWT, a frozen model forgets "
    "nothing",
    "±": "half of a 95 % interval for other patients and other seeds, both taken as random; the "
    "orders of scanners as they are",
    "missed rate": "share of cases whose structure is not found at all after the last stage",
    "p, Holm": "Wilcoxon's signed-rank test of patients, seeds and orders averaged first, then "
    "corrected for the number of rows (Holm 1979); secondary, claims use the intervals",
    "not evaluable": "Dice on a scanner right after learning it, of joint training at its end, is "
    "below `learned_dice` of the suite: what was not learned cannot be forgotten, and such joint "
    "training is no bar to measure by",
}


def summary(data: ReportData) -> Section:
    """A row of scores per network and strategy, with everything that limits them."""
    return Section(
        "Summary",
        table=shown_table(data.summary),
        notes=[
            *_seeds(data.runs),
            *_not_evaluable(data),
            *_partly_defined(data.results),
            *_coverage(data.summary),
        ],
        definitions=DEFINITIONS,
        files={"runs": data.runs, "summary": data.summary},
    )


def gains(data: ReportData) -> Section | None:
    """What every strategy gains over fine-tuning."""
    differences = difference_table(data.results)
    if differences.empty:
        return None
    return Section(
        "Gained over fine-tuning",
        table=shown_differences(differences),
        files={"differences": differences},
    )


def costs(data: ReportData) -> Section:
    """Time, memory and what strategies keep."""
    return Section("Cost of a run", table=shown_costs(data.summary))


def _seeds(runs: pd.DataFrame) -> list[str]:
    if runs["seed"].nunique() > 1:
        return []
    return ["1 seed: differences between rows carry no interval."]


def _not_evaluable(data: ReportData) -> list[str]:
    """A line per network and strategy that did not learn a scanner."""
    notes = []
    for (model, strategy), runs in data.cells.items():
        if unlearned := describe_unlearned(runs):
            when = "after its only stage" if runs[0].joint else "right after learning"
            notes.append(
                f"{model} {strategy} is {NOT_EVALUABLE}: Dice {when} is below `learned_dice` of "
                f"the suite: {unlearned}."
            )
    return notes


def _partly_defined(results: Sequence[RunResult]) -> list[str]:
    """Strategies for which one score alone is defined."""
    notes = []
    if joint := sorted({run.strategy for run in results if run.joint}):
        notes.append(f"{', '.join(joint)}: one stage on all scanners, so only ACC is defined.")
    if single := sorted({run.strategy for run in results if run.schedule == "single"}):
        notes.append(
            f"{', '.join(single)}: a network of its own per scanner, so only plasticity is defined."
        )
    return notes


def _coverage(summary: pd.DataFrame) -> list[str]:
    """How good the intervals are, where there are any."""
    covered = summary.filter(like=" coverage").to_numpy(float)
    covered = covered[np.isfinite(covered)]
    if not len(covered):
        return []
    low, high = (f"{100 * value:.0f}" for value in (covered.min(), covered.max()))
    share = low if low == high else f"{low} to {high}"
    return [
        f"The 95 % intervals (±) of the summary cover the truth in {share} % of "
        "simulations with as many patients and seeds that vary as these do."
    ]
