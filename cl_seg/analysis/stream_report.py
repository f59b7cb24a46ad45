"""What a report says of streams of scanners: forgetting, and what strategies gain and cost."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cl_seg.analysis import rank_report
from cl_seg.analysis.content import Content
from cl_seg.analysis.figures.plane import comparable
from cl_seg.analysis.not_learned import missed_bounds
from cl_seg.analysis.pairs import is_pairs, pair_losses, pair_summary
from cl_seg.analysis.ranks import last_dices, paired_tests
from cl_seg.analysis.stream_figures import pairs_figures, stream_figures
from cl_seg.analysis.tables import (
    NOT_EVALUABLE,
    cells,
    difference_table,
    run_table,
    shown_costs,
    shown_differences,
    shown_table,
    summary_table,
)
from cl_seg.records.results import RunResult

MOST_ORDERS = 6  # that a note lists
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


def stream_content(results: Sequence[RunResult]) -> Content:
    """Tables, notes and figures of the runs of a stream suite."""
    runs = run_table(results)
    summary = summary_table(runs, results)
    differences = difference_table(results)
    tables = {"Summary": shown_table(summary)}
    if len(differences):
        tables["Gained over fine-tuning"] = shown_differences(differences)
    tables["Cost of a run"] = shown_costs(summary)
    files = {"runs": runs, "summary": summary}
    if len(differences):
        files["differences"] = differences
    notes = [*_notes(results, runs), *_coverage(summary)]
    if is_pairs(results):
        files["pairs"] = pair_losses(results)
        notes += _pair_notes(pair_summary(files["pairs"]))
        return Content(tables, notes, pairs_figures(results), DEFINITIONS, files)
    notes = [*_orders(results), *notes, *_not_plane(summary)]
    compared = {cell: own for cell, own in cells(results).items() if own[0].schedule != "single"}
    dice = last_dices(compared)
    tests = paired_tests(dice)
    if len(tests):
        tables[rank_report.TITLE] = rank_report.shown_tests(tests)
        notes += rank_report.few_patients(tests)
        files["tests"] = tests
    drawn = stream_figures(results, summary)
    if (ranks := rank_report.rank_figure(dice, results[0].stamps)) is not None:
        drawn["ranks"] = rank_report.caption(dice), ranks
    return Content(tables, notes, drawn, DEFINITIONS, files)


def _notes(results: Sequence[RunResult], runs: pd.DataFrame) -> list[str]:
    notes = []
    if runs["seed"].nunique() == 1:
        notes.append("1 seed: differences between rows carry no interval.")
    notes += _not_evaluable(results)
    joint = sorted({r.strategy for r in results if r.joint})
    if joint:
        notes.append(f"{', '.join(joint)}: one stage on all scanners, so only ACC is defined.")
    single = sorted({r.strategy for r in results if r.schedule == "single"})
    if single:
        notes.append(
            f"{', '.join(single)}: a network of its own per scanner, so only plasticity is defined."
        )
    return notes


def _orders(results: Sequence[RunResult]) -> list[str]:
    """Which order has which number, where there are several."""
    numbered = {run.order_number: run.stream for run in results if not run.joint}
    if len(numbered) < 2:
        return []
    named = [f"{number} is {stream}" for number, stream in sorted(numbered.items())]
    more = ["runs.csv has the others"] if len(named) > MOST_ORDERS else []
    return [f"Orders of scanners: {'; '.join(named[:MOST_ORDERS] + more)}."]


def _not_plane(summary: pd.DataFrame) -> list[str]:
    """Why there is no plane, where one is to be expected."""
    if len(comparable(summary)) or summary["BWT"].isna().all():
        return []
    return [
        "There is no plane of what is kept against what is learned: every row with both scores "
        f"is {NOT_EVALUABLE}."
    ]


def _not_evaluable(results: Sequence[RunResult]) -> list[str]:
    """A line per network and strategy that did not learn a scanner."""
    notes = []
    for (model, strategy), runs in cells(results).items():
        if missed := missed_bounds(runs):
            when = "after its only stage" if runs[0].joint else "right after learning"
            notes.append(
                f"{model} {strategy} is {NOT_EVALUABLE}: Dice {when} is below `learned_dice` of "
                f"the suite: {missed}."
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


def _pair_notes(summary: pd.DataFrame) -> list[str]:
    notes = []
    for _, row in summary.iterrows():
        text = (
            f"{row['model']} {row['strategy']}, {row['pairs']} pairs of scanners, {row['seeds']} "
            f"seeds: median Dice points lost on the unseen scanner {row['transfer']:.1f} "
            f"(quartiles {row['transfer quartiles']})"
        )
        if not pd.isna(row["joint"]):
            text += f", with joint training {row['joint']:.1f} ({row['joint quartiles']})"
        if not pd.isna(row["forgetting"]):
            text += f"; on the first by learning the second {row['forgetting']:.1f}"
            text += f" ({row['forgetting quartiles']})"
        notes.append(f"{text}.")
    return notes
