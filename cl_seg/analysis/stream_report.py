"""What a report says of streams of scanners: forgetting, and what strategies gain and cost."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cl_seg.analysis import figures, overlays, rank_report
from cl_seg.analysis.content import Content
from cl_seg.analysis.not_learned import missed_bounds
from cl_seg.analysis.pairs import LOSSES, is_pairs, pair_losses, pair_matrix, pair_summary
from cl_seg.analysis.plane import comparable, stability_plane
from cl_seg.analysis.ranks import last_dices, paired_tests
from cl_seg.analysis.results import RunResult
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

PAIRS_CAPTION = (
    "Dice points lost by every ordered pair of scanners, mean over seeds. All are differences from "
    "the Dice of the model trained on the scanner of the row, there. Transfer: its Dice on the "
    "scanner of the column. Joint: the Dice there of the model trained on all scanners together. "
    "Forgetting: its Dice on the scanner of the row after training on that of the column."
)
PLANE_CAPTION = (
    "What is kept against what is learned: plasticity is the Dice right after learning, BWT the "
    "change until the end. Up and to the right is better; on a grey line ACC is the same. Filled "
    "marks keep slices of earlier scanners, the legend says how many; bars are 95 % intervals."
)
JOINT_CAPTION = (
    "Dice points below joint training on every scanner after the last stage: what going from "
    "scanner to scanner costs. Orders and seeds are averaged."
)
ORDERS_CAPTION = (
    "Mean Dice over the scanners learned so far, after every stage: a thin line per order of "
    "scanners, thick their mean."
)
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
        return Content(tables, notes, _pairs_figures(results), DEFINITIONS, files)
    notes = [*_orders(results), *notes, *_not_plane(summary)]
    compared = {cell: own for cell, own in cells(results).items() if own[0].schedule != "single"}
    dice = last_dices(compared)
    tests = paired_tests(dice)
    if len(tests):
        tables[rank_report.TITLE] = rank_report.shown_tests(tests)
        notes += rank_report.few_patients(tests)
        files["tests"] = tests
    drawn = _figures(results, summary)
    if (ranks := rank_report.rank_figure(dice, results[0].stamps)) is not None:
        drawn["ranks"] = rank_report.CAPTION, ranks
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
        notes.append(
            f"{text}; on the first by learning the second {row['forgetting']:.1f} "
            f"({row['forgetting quartiles']})."
        )
    return notes


def _figures(results: Sequence[RunResult], summary: pd.DataFrame) -> dict[str, tuple[str, Figure]]:
    by_cell = cells(results)
    order = results[0].order
    shown = [runs[0] for runs in by_cell.values() if runs[0].order == order]
    with_curve = [run for run in shown if len(run.curve) and not run.joint]
    which = _which_order(results)
    with_joint = {run.model for run in results if run.joint}
    with_dots = any(run.joint and run.order == order for run in results)
    dotted = ", the dotted line joint training" if with_dots else ""
    drawn = {}
    if not all(run.joint for run in results):
        drawn["forgetting"] = (
            "Test Dice on each scanner over the stream. The mark is the stage in which the scanner "
            f"is learned, shading the stages up to it{dotted}. The untrained network is left out."
            f"{which}",
            figures.forgetting_curves(by_cell),
        )
    drawn["accuracy_matrix"] = (
        f"Accuracy matrix R: Dice on each scanner (columns) after each stage (rows).{which}",
        figures.heat_maps(by_cell),
    )
    streams = figures.streamed(by_cell)
    if any(model in with_joint for model, _ in streams):
        drawn["joint_differences"] = JOINT_CAPTION, figures.joint_differences(by_cell)
    if len({tuple(run.order) for runs in streams.values() for run in runs}) > 1:
        drawn["orders"] = ORDERS_CAPTION, figures.order_fans(by_cell)
    if len(comparable(summary)):
        drawn["plane"] = PLANE_CAPTION, stability_plane(summary, len(order), results[0].stamps)
    if with_curve:
        drawn["validation"] = (
            f"Validation Dice while training; dotted lines separate the stages.{which}",
            figures.validation_curves(with_curve),
        )
    return drawn | _overlays([run for run in shown if run.strategy == shown[0].strategy], which)


def _which_order(results: Sequence[RunResult]) -> str:
    """Which order a figure of one order shows, where there are several."""
    orders = {tuple(run.order) for run in results if not run.joint}
    if len(orders) < 2:
        return ""
    first = results[0]
    return f" Of {len(orders)} orders, order {first.order_number} is shown: {first.stream}."


def _overlays(runs: Sequence[RunResult], which: str) -> dict[str, tuple[str, Figure]]:
    """Pictures of slices, where the results have some."""
    runs = [run for run in runs if run.examples]
    if not runs:
        return {}
    drawn = {
        "examples": (
            "A typical test slice of every scanner, segmented after the first and after the last "
            "stage. Filled areas are truth, lines the prediction; "
            + ", ".join(overlays.class_colours(runs[0]))
            + f".{which}",
            overlays.examples(runs),
        )
    }
    for run in runs:
        if overlays.has_ranked(run):
            drawn["ranked_" + re.sub(r"\W+", "_", run.model).lower()] = (
                f"{run.model}, {run.strategy}: the test slices of every scanner with the lowest, "
                "the median and the highest Dice, once the scanner was learned and at the end."
                f"{which}",
                overlays.ranked_examples(run),
            )
    return drawn


def _pairs_figures(results: Sequence[RunResult]) -> dict[str, tuple[str, Figure]]:
    losses = pair_losses(results)
    shown = [loss for loss in LOSSES if losses[loss].notna().any()]
    firsts, seconds = (list(dict.fromkeys(losses[side])) for side in ("first", "second"))
    panels = {
        (f"{model} {strategy}", loss): pair_matrix(cell, firsts, seconds, loss)
        for (model, strategy), cell in losses.groupby(["model", "strategy"], sort=False)
        for loss in shown
    }
    names = {k: v for result in results for k, v in result.record["scanner_names"].items()}
    rows, columns = (
        [re.sub(r" \(simulated\)$", "", names[scanner]) for scanner in side]
        for side in (firsts, seconds)
    )
    drawn = figures.pair_losses(panels, rows, columns, results[0].stamps)
    return {"pairs": (PAIRS_CAPTION, drawn)}
