"""The figures of a report on streams of scanners, with their captions."""

import re
from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from cl_seg.analysis.figures import curves, heat_maps, overlays, panels
from cl_seg.analysis.figures.plane import comparable, stability_plane
from cl_seg.analysis.pairs import LOSSES, pair_losses, pair_matrix
from cl_seg.analysis.tables import cells
from cl_seg.records.results import RunResult

Figures = dict[str, tuple[str, Figure]]

PAIRS_CAPTION = (
    "Dice points lost by every ordered pair of scanners, mean over seeds. All are differences from "
    "the Dice of the model trained on the scanner of the row, there. Transfer: its Dice on the "
    "scanner of the column. Joint: the Dice there of the model trained on all scanners together. "
    "Forgetting: its Dice on the scanner of the row after training on that of the column."
)
PLANE_CAPTION = (
    "What is kept against what is learned: plasticity is the Dice right after learning, BWT the "
    "change until the end. Up and to the right is better{}. Filled marks keep slices of earlier "
    "scanners, the legend says how many; bars are 95 % intervals."
)
ON_A_LINE = "; on a grey line ACC is the same"
JOINT_CAPTION = (
    "Dice points below joint training on every scanner after the last stage: what going from "
    "scanner to scanner costs. Orders and seeds are averaged."
)
ORDERS_CAPTION = (
    "Mean Dice over the scanners learned so far, after every stage: a thin line per order of "
    "scanners, thick their mean."
)


def stream_figures(results: Sequence[RunResult], summary: pd.DataFrame) -> Figures:
    """Name → caption and figure: forgetting, R, orders, the plane, validation, slices."""
    by_cell = cells(results)
    order = results[0].order
    shown = [runs[0] for runs in by_cell.values() if runs[0].order == order]
    with_curve = [run for run in shown if len(run.curve) and not run.joint]
    which = _which_order(results)
    with_joint = {run.model for run in results if run.joint}
    with_dots = any(run.joint and run.order == order for run in results)
    dotted = ", the dotted line joint training" if with_dots else ""
    several = len({run.seed for run in results}) > 1
    bands = "; lines are means over seeds, bands their range" if several else ""
    drawn = {}
    if not all(run.joint for run in results):
        drawn["forgetting"] = (
            "Test Dice on each scanner over the stream. The mark is the stage in which the scanner "
            f"is learned, shading the stages up to it{dotted}{bands}. What lies below the axis "
            f"before that is in R; the untrained network is left out.{which}",
            curves.forgetting_curves(by_cell),
        )
    drawn["accuracy_matrix"] = (
        "Accuracy matrix R: Dice on each scanner (columns) after each stage (rows)"
        f"{', mean over seeds' * several}.{which}",
        heat_maps.heat_maps(by_cell),
    )
    streams = panels.streamed(by_cell)
    if any(model in with_joint for model, _ in streams):
        drawn["joint_differences"] = JOINT_CAPTION, heat_maps.joint_differences(by_cell)
    if len({tuple(run.order) for runs in streams.values() for run in runs}) > 1:
        drawn["orders"] = ORDERS_CAPTION, curves.order_fans(by_cell)
    if len(comparable(summary)):
        lengths = {len(run.order) for run in results}
        plane = stability_plane(summary, max(lengths) * (len(lengths) == 1), results[0].stamps)
        drawn["plane"] = PLANE_CAPTION.format(ON_A_LINE * (len(lengths) == 1)), plane
    seed = f" Seed {results[0].seed}." * several
    if with_curve:
        drawn["validation"] = (
            f"Validation Dice while training; dotted lines separate the stages.{seed}{which}",
            curves.validation_curves(with_curve),
        )
    own = [run for run in shown if run.strategy == shown[0].strategy]
    return drawn | _overlays(own, f".{seed}{which}")


def _which_order(results: Sequence[RunResult]) -> str:
    """Which order a figure of one order shows, where there are several."""
    orders = {tuple(run.order) for run in results if not run.joint}
    if len(orders) < 2:
        return ""
    first = results[0]
    return f" Of {len(orders)} orders, order {first.order_number} is shown: {first.stream}."


def _overlays(runs: Sequence[RunResult], end: str) -> Figures:
    """Pictures of slices, where the results have some; ``end`` is that of their captions."""
    runs = [run for run in runs if run.examples]
    if not runs:
        return {}
    drawn = {
        "examples": (
            "A typical test slice of every scanner, segmented after the first and after the last "
            "stage. Filled areas are truth, lines the prediction; "
            + ", ".join(overlays.class_colours(runs[0]))
            + end,
            overlays.examples(runs),
        )
    }
    for run in runs:
        if overlays.has_ranked(run):
            number = "" if (name := _file_name(run.model)) not in drawn else f"_{len(drawn)}"
            drawn[f"{name}{number}"] = (
                f"{run.model}, {run.strategy}: the test slices of every scanner with the lowest, "
                "the median and the highest Dice, once the scanner was learned and at the end"
                f"{end}",
                overlays.ranked_examples(run),
            )
    return drawn


def _file_name(model: str) -> str:
    return "ranked_" + re.sub(r"\W+", "_", model).lower()


def pairs_figures(results: Sequence[RunResult]) -> Figures:
    """What pairs of scanners cost each other, for suites of pairs."""
    losses = pair_losses(results)
    shown = [loss for loss in LOSSES if losses[loss].notna().any()]
    firsts, seconds = (list(dict.fromkeys(losses[side])) for side in ("first", "second"))
    panels = {
        (f"{model} {strategy}", loss): pair_matrix(cell, firsts, seconds, loss)
        for (model, strategy), cell in losses.groupby(["model", "strategy"], sort=False)
        for loss in shown
    }
    names = {k: v for result in results for k, v in result.record.scanner_names.items()}
    rows, columns = (
        [re.sub(r" \(simulated\)$", "", names[scanner]) for scanner in side]
        for side in (firsts, seconds)
    )
    drawn = heat_maps.pair_losses(panels, rows, columns, results[0].stamps)
    return {"pairs": (PAIRS_CAPTION, drawn)}
