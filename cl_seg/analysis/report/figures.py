"""Figures of streams of scanners, a section each, with their captions."""

import re
from collections.abc import Sequence

from cl_seg.analysis.figures import curves, heat_maps, loss_maps, overlays
from cl_seg.analysis.figures.panels import first_runs
from cl_seg.analysis.figures.plane import stability_plane
from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.tables import NOT_EVALUABLE
from cl_seg.records.results import RunResult

PLANE_CAPTION = (
    "What is kept against what is learned: plasticity is the Dice right after learning, BWT the "
    "change until the end. Up and to the right is better{}. Filled marks keep slices of earlier "
    "scanners, the legend says how many; bars are 95 % intervals."
)
JOINT_CAPTION = (
    "Dice points below joint training on every scanner after the last stage: what going from "
    "scanner to scanner costs. Orders and seeds are averaged."
)
ORDERS_CAPTION = (
    "Mean Dice over the scanners learned so far, after every stage: a thin line per order of "
    "scanners, thick their mean."
)
NO_PLANE = (
    "There is no plane of what is kept against what is learned: every row with both scores is "
    f"{NOT_EVALUABLE}."
)


def forgetting_curves(data: ReportData) -> Section | None:
    """Dice on every scanner over the stream."""
    results = data.results
    figure = curves.forgetting_curves(results)
    if figure is None:
        return None
    with_joint = any(run.joint and run.order == results[0].order for run in results)
    dotted = ", the dotted line joint training" * with_joint
    bands = "; lines are means over seeds, bands their range" * _several_seeds(results)
    caption = (
        "Test Dice on each scanner over the stream. The mark is the stage in which the scanner "
        f"is learned, shading the stages up to it{dotted}{bands}. What lies below the axis "
        f"before that is in R; the untrained network is left out.{_which_order(results)}"
    )
    return Section("Forgetting curves", figures={"forgetting": (caption, figure)})


def accuracy_matrix(data: ReportData) -> Section:
    """R of every network and strategy."""
    mean = ", mean over seeds" * _several_seeds(data.results)
    caption = (
        "Accuracy matrix R: Dice on each scanner (columns) after each stage (rows)"
        f"{mean}.{_which_order(data.results)}"
    )
    figure = heat_maps.heat_maps(data.results)
    return Section("Accuracy matrix R", figures={"accuracy_matrix": (caption, figure)})


def joint_differences(data: ReportData) -> Section | None:
    """Every scanner against joint training."""
    figure = loss_maps.joint_differences(data.results)
    if figure is None:
        return None
    return Section("Below joint training", figures={"joint_differences": (JOINT_CAPTION, figure)})


def orders(data: ReportData) -> Section | None:
    """Mean Dice over the stream, order by order."""
    figure = curves.order_fans(data.results)
    if figure is None:
        return None
    return Section("Orders", figures={"orders": (ORDERS_CAPTION, figure)})


def plane(data: ReportData) -> Section | None:
    """BWT against plasticity; why there is no such figure, where one is to be expected."""
    title = "Stability and plasticity"
    figure = stability_plane(data.summary, data.results)
    if figure is None:
        expected = data.summary["BWT"].notna().any()
        return Section(title, notes=[NO_PLANE]) if expected else None
    one_length = len({len(run.order) for run in data.results}) == 1
    caption = PLANE_CAPTION.format("; on a grey line ACC is the same" * one_length)
    return Section(title, figures={"plane": (caption, figure)})


def validation(data: ReportData) -> Section | None:
    """Validation Dice while training."""
    figure = curves.validation_curves(data.results)
    if figure is None:
        return None
    caption = (
        "Validation Dice while training; dotted lines separate the stages."
        f"{_which_run(data.results)}"
    )
    return Section("Validation Dice while training", figures={"validation": (caption, figure)})


def slices(data: ReportData) -> Section | None:
    """Slices of the first strategy, where the results have pictures of any."""
    shown = first_runs(data.results)
    own = [run for run in shown if run.strategy == shown[0].strategy and run.examples]
    if not own:
        return None
    end = f".{_which_run(data.results)}"
    caption = (
        "A typical test slice of every scanner, segmented after the first and after the last "
        "stage. Filled areas are truth, lines the prediction; "
        f"{', '.join(overlays.class_colours(own[0]))}{end}"
    )
    figures = {"examples": (caption, overlays.examples(own))}
    for run in filter(overlays.has_ranked, own):
        name = "ranked_" + re.sub(r"\W+", "_", run.model).lower()
        name += f"_{len(figures)}" * (name in figures)
        caption = (
            f"{run.model}, {run.strategy}: the test slices of every scanner with the lowest, "
            "the median and the highest Dice, once the scanner was learned and at the end"
            f"{end}"
        )
        figures[name] = caption, overlays.ranked_examples(run)
    return Section("Slices", figures=figures)


def _several_seeds(results: Sequence[RunResult]) -> bool:
    return len({run.seed for run in results}) > 1


def _which_run(results: Sequence[RunResult]) -> str:
    """Seed and order of the one run that a figure shows of each network and strategy."""
    seed = f" Seed {results[0].seed}." * _several_seeds(results)
    return seed + _which_order(results)


def _which_order(results: Sequence[RunResult]) -> str:
    """Which order a figure of one order shows, where there are several."""
    orders = {tuple(run.order) for run in results if not run.joint}
    if len(orders) < 2:
        return ""
    first = results[0]
    return f" Of {len(orders)} orders, order {first.order_number} is shown: {first.stream}."
