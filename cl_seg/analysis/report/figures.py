"""Figures of streams of scanners, a section each, with their captions."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cl_seg.analysis.figures import curves, drop_maps, heat_maps, overlays
from cl_seg.analysis.figures.areas import bland_altman_figure
from cl_seg.analysis.figures.panels import first_runs
from cl_seg.analysis.figures.plane import stability_plane, weight_in_accuracy
from cl_seg.analysis.figures.ranks import rank_figure
from cl_seg.analysis.intervals import random_factor
from cl_seg.analysis.many_scanners import (
    is_many,
    listed,
    scanner_table,
    shown_scanners,
    which_scanners,
)
from cl_seg.analysis.pairs import pair_drops, pair_summary
from cl_seg.analysis.report.section import ReportData, Section, figure_section
from cl_seg.analysis.tables import NOT_EVALUABLE
from cl_seg.records.results import RunResult


def forgetting_curves(data: ReportData) -> Section | None:
    """Dice on every scanner over the stream."""
    results = data.results
    with_joint = any(run.is_joint and run.order == results[0].order for run in results)
    dotted = ", the dotted line joint training" * with_joint
    means = f"; lines are means over {random_factor(results)}, bands their range"
    bands = means * _several_seeds(results)
    caption = (
        f"Test Dice on each scanner over the stream. {_marks(results[0])}{dotted}{bands}. "
        "Every network has an axis of its own; Dice below it is in the matrix R, the untrained "
        "network is not drawn."
        f"{_between_tests(results)}{which_scanners(results)}{_which_order(results)}"
    )
    figure = curves.forgetting_curves(results)
    if figure is None:
        return None
    many = is_many(len(results[0].scanners))
    return Section(
        "Forgetting curves",
        figures={"forgetting": (caption, figure)},
        files={"scanners": scanner_table(results)} if many else {},
    )


def accuracy_matrix(data: ReportData) -> Section | None:
    """R of every network and strategy."""
    caption = (
        "Accuracy matrix R: Dice on each scanner (columns) after each stage (rows)"
        f"{f', mean over {random_factor(data.results)}' * _several_seeds(data.results)}"
        "; framed right after learning."
        f"{_untested(data.results)}{_which_order(data.results)}"
    )
    figure = heat_maps.heat_maps(data.results)
    return figure_section("Accuracy matrix R", "accuracy_matrix", caption, figure)


def joint_differences(data: ReportData) -> Section | None:
    """Every scanner against joint training."""
    part = "month" if data.results[0].record.spec.months else "scanner"
    averaged = "Replicates" if data.replicates else "Orders and seeds"
    caption = (
        "Dice points below joint training on every scanner after the last stage: what going from "
        f"{part} to {part} costs. {averaged} are averaged."
    )
    figure = drop_maps.joint_differences(data.results)
    return figure_section("Below joint training", "joint_differences", caption, figure)


def orders(data: ReportData) -> Section | None:
    """Mean Dice over the stream, order by order, or replicate by replicate."""
    line = "replicate" if data.replicates else "order of scanners"
    caption = (
        f"Mean Dice over the scanners learned so far, after every stage: a thin line per {line}, "
        f"thick their mean.{_between_tests(data.results)}"
    )
    title = "Replicates" if data.replicates else "Orders"
    return figure_section(title, title.lower(), caption, curves.order_fans(data.results))


def plane(data: ReportData) -> Section | None:
    """BWT against plasticity; why there is no such figure, where one is to be expected."""
    title = "Stability and plasticity"
    figure = stability_plane(data.summary, data.results)
    if figure is None and data.summary["BWT"].notna().any():
        note = (
            "There is no plane of what is kept against what is learned: every row with both "
            f"scores is {NOT_EVALUABLE}."
        )
        return Section(title, notes=[note])
    one_weight = weight_in_accuracy(data.results) is not None
    caption = (
        "What is kept against what is learned: plasticity is the Dice right after learning, BWT "
        "the change until the end. Up and to the right is better"
        f"{'; on a grey line ACC is the same' * one_weight}. Filled marks keep slices of earlier "
        "scanners, the legend says how many; bars are 95 % intervals."
    )
    return figure_section(title, "plane", caption, figure)


def validation(data: ReportData) -> Section | None:
    """Validation Dice while training."""
    title = "Validation Dice while training"
    which = which_scanners(data.results) + _which_run(data.results)
    lines = "" if is_many(len(data.results[0].visits)) else "; dotted lines separate the stages"
    caption = f"{title}{lines}.{which}"
    return figure_section(title, "validation", caption, curves.validation_curves(data.results))


def slices(data: ReportData) -> Section | None:
    """Slices of the first strategy, where the results have pictures of any."""
    shown = first_runs(data.results)
    own = [run for run in shown if run.strategy == shown[0].strategy and run.examples]
    if not own:
        return None
    scanners = shown_scanners(data.results)
    end = f".{which_scanners(data.results)}{_which_run(data.results)}"
    caption = (
        "A typical test slice of every scanner, segmented after the first and after the last "
        "stage. Filled areas are truth, lines the prediction; "
        f"{', '.join(overlays.class_colours(own[0]))}{end}"
    )
    figures = {"examples": (caption, overlays.examples(own, scanners))}
    for run in filter(overlays.has_ranked, own):
        name = "ranked_" + re.sub(r"\W+", "_", run.network).lower()
        name += f"_{len(figures)}" * (name in figures)
        when = "" if run.by_months else "once the scanner was learned and "
        caption = (
            f"{run.network}, {run.strategy}: the test slices of every scanner with the lowest, "
            f"the median and the highest Dice, {when}at the end{end}"
        )
        figures[name] = caption, overlays.ranked_examples(run, scanners)
    return Section("Slices", figures=figures)


def ranks(data: ReportData) -> Section | None:
    """Mean ranks of the networks, a panel per strategy."""
    networks = Counter(strategy for _, strategy in data.last_dice)
    critical = (
        " Networks closer than the grey bar, the critical difference, are not told apart by "
        "Nemenyi's test."
    )
    caption = (
        "Rank of every network by Dice after the last stage, mean over scanners and structures, 1 "
        "the best; bars are 95 % intervals for other patients."
        f"{critical * (max(networks.values(), default=0) > 2)}"
    )
    figure = rank_figure(data.last_dice, data.results[0].caveats)
    return figure_section("Ranks of networks", "ranks", caption, figure)


def bland_altman(data: ReportData) -> Section | None:
    """Areas of the first class against the truth."""
    name, areas = data.first_class
    if areas.empty:
        return None
    repeats = "scanner and replicate" if data.replicates else "scanner, order and seed"
    caption = (
        f"Bland–Altman plot of the area of {name} after the last stage: a dot per test patient, "
        f"{repeats} of the first strategy that has any, lines bias and 95 % limits of "
        "agreement of all of them."
    )
    return figure_section(
        f"Agreement of the area of {name}",
        "areas",
        caption,
        bland_altman_figure(areas, data.results),
    )


def drops_of_pairs(data: ReportData) -> Section:
    """Drops of every pair of scanners as a figure, their medians in words."""
    caption = (
        "Dice points lost by every ordered pair of scanners, mean over seeds. All are differences "
        "from the Dice of the model trained on the scanner of the row, there. Transfer: its Dice "
        "on the scanner of the column. Joint: the Dice there of the model trained on all scanners "
        "together. Forgetting: its Dice on the scanner of the row after training on that of the "
        "column."
    )
    drops = pair_drops(data.results)
    return Section(
        "Pairs",
        figures={"pairs": (caption, drop_maps.pair_drop_maps(data.results))},
        notes=[_medians(row) for row in pair_summary(drops).to_dict("records")],
        files={"pairs": drops},
    )


def _medians(row: Mapping[Any, Any]) -> str:
    text = (
        f"{row['model']} {row['strategy']}, {row['pairs']} pairs of scanners, {row['seeds']} seeds"
    )
    if pd.isna(row["transfer"]):
        text += ": not tested on the unseen scanner"
    else:
        text += f": median Dice points lost on the unseen scanner {row['transfer']:.1f}"
        text += f" (quartiles {row['transfer quartiles']})"
    if not pd.isna(row["joint"]):
        text += f", with joint training {row['joint']:.1f} ({row['joint quartiles']})"
    if not pd.isna(row["forgetting"]):
        text += f"; on the first by learning the second {row['forgetting']:.1f}"
        text += f" ({row['forgetting quartiles']})"
    return f"{text}."


def _marks(run: RunResult) -> str:
    if run.record.spec.months:
        return (
            "Marks are the months with slices of the scanner, the shaded part lies before the first"
        )
    if run.returns:
        return "Each mark is a training on that scanner, the shaded part lies before the first"
    return "The mark is the stage in which the scanner is learned, the shaded part lies before it"


def _untested(results: Sequence[RunResult]) -> str:
    evaluate = results[0].record.spec.evaluate
    return "" if evaluate == "all" else f" What was not tested is blank (evaluate: {evaluate})."


def _between_tests(results: Sequence[RunResult]) -> str:
    evaluate = results[0].record.spec.evaluate
    joined = f" Lines join the stages followed by a test (evaluate: {evaluate})."
    return joined * evaluate.startswith("every")


def _several_seeds(results: Sequence[RunResult]) -> bool:
    return len({run.seed for run in results}) > 1


def _which_run(results: Sequence[RunResult]) -> str:
    """Seed and order of the one run that a figure shows of each network and strategy."""
    what = "Replicate" if results[0].replicate else "Seed"
    return f" {what} {results[0].seed}." * _several_seeds(results) + _which_order(results)


def _which_order(results: Sequence[RunResult]) -> str:
    """The order that a figure shows, where there are several."""
    count, first = len({tuple(run.order) for run in results if not run.is_joint}), results[0]
    stream = listed([first.short_names[scanner] for scanner in first.order], " → ")
    shown = f" Of {count} orders, order {first.order_number} is shown: {stream}."
    return shown * (count > 1)
