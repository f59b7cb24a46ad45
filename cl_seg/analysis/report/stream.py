"""Tables of streams of scanners, a section each."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cl_seg.analysis.areas import agreement_table, shown_agreement
from cl_seg.analysis.further_scores import shown_cases, shown_other_scanners
from cl_seg.analysis.intervals import random_factor
from cl_seg.analysis.many_scanners import SHOWN_OF_MANY, is_many
from cl_seg.analysis.order_spread import order_spread_table, shown_order_spread
from cl_seg.analysis.ranks import FEW_PATIENTS, paired_tests
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
    "BWT": "mean change of Dice on a scanner from right after learning it, the first time, to the "
    "end; negative is forgetting",
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
DEFINITIONS_OF_REPLICATES = {
    "±": "half of a 95 % interval for other patients and other replicates, both taken as random; a "
    "replicate has a seed, a stream of scanners and training patients of its own",
    "p, Holm": "Wilcoxon's signed-rank test of patients, replicates averaged first, then corrected "
    "for the number of rows (Holm 1979); secondary, claims use the intervals",
}
"""What stands in the place of some of these where a suite has replicates."""
SHOWN_IF_KNOWN = {
    "stability gap": "validation Dice before an experience minus the lowest during it, mean over "
    "experiences and earlier scanners; biased upwards by noise",
    "intransigence": "Dice of joint training from scratch on the scanners so far minus that right "
    "after learning the last of them",
    "lost before return": "Dice right after the first visit minus that just before the stream is "
    "back, mean over returns; negative is a gain",
    "regained": "Dice right after a return minus that just before it, mean over returns",
    "relearning steps": "optimiser steps of a return after which the validation Dice of the first "
    "visit is reached again; 0 if nothing was lost",
}
"""Of scores that a table has only where a run has them."""
SCANNER_DEFINITIONS = {
    "E-FWT": "mean gain over the untrained network on scanners not yet learned, after every stage",
    "RMA": "Dice right after learning a scanner, from the second on, divided by that of a network "
    "trained on it alone; above 1 the earlier scanners help",
    "worst scanner": "smallest Dice on a scanner after the last stage; biased downwards by noise",
    "unseen": "mean Dice on the scanners held out, which no stage trains on: after the first "
    "experience (before) and after the last (after)",
}
CASE_DEFINITIONS = {
    "Dice, 5th percentile": "Dice that 5 % of the cases with the structure stay below after the "
    "last stage, classes averaged; 25th percentile and median likewise",
    "surface Dice": "share of true and predicted contours that lie within 3 mm of each other "
    "(NSD, Nikolov et al. 2021)",
    "area bias": "mean of predicted − true area of cases, % of the true one",
}
SPREAD_DEFINITIONS = {
    "spread over orders": "standard deviation of the means of orders, seeds averaged, and its 95 % "
    "interval for other orders (χ²); seeds add to it, and two orders say next to nothing",
}
SPREAD_DEFINITIONS_OF_REPLICATES = {
    "spread over replicates": "standard deviation of the scores of replicates, and its 95 % "
    "interval for other replicates (χ²): seeds, streams and training patients together",
}
COST_DEFINITIONS = {
    "kept of network": "bytes that the strategy keeps, of those of the network",
    "replayed": "share of old slices among those trained on, from the second experience on",
}
AREA_DEFINITIONS = {
    "limits of agreement": "range that holds 95 % of the differences found − true of patients "
    "(Bland & Altman 1986); bias is their mean",
    "ICC": "absolute agreement of single measurements, ICC(2,1); 1 is perfect",
    "incomplete": "areas of patients whose body goes on beyond the image or the grid of the store; "
    "shown where there are any",
}
TESTS_TITLE = "Networks compared, patient by patient"


def summary(data: ReportData) -> Section:
    """A row of scores per network and strategy, with everything that limits them."""
    table = shown_table(data.summary)
    known = {name: text for name, text in SHOWN_IF_KNOWN.items() if name in table}
    return Section(
        "Summary",
        table=table,
        notes=[
            *_repeats(data),
            *_not_evaluable(data),
            *_partly_defined(data.results),
            *_partly_tested(data),
            *_coverage(data),
        ],
        definitions=DEFINITIONS | (DEFINITIONS_OF_REPLICATES if data.replicates else {}) | known,
        files={"runs": data.runs, "summary": data.summary},
    )


def other_scanners(data: ReportData) -> Section | None:
    """Scores of the scanners held out, of the worst one, and of transfer."""
    held_out = {name: None for run in data.results for name in run.held_out}
    names = data.results[0].short_names
    listed = ", ".join(names.get(name, name) for name in held_out)
    table = shown_other_scanners(data.summary)
    if len(table.columns) == 2:  # of one network per scanner alone
        return None
    return Section(
        "Other scanners",
        table=table,
        notes=[f"Held out, tested and never trained on: {listed}."] if held_out else [],
        definitions=SCANNER_DEFINITIONS,
    )


def cases(data: ReportData) -> Section:
    """Scores of the weakest cases, of contours and of areas."""
    title = "Cases, contours and areas"
    return Section(title, table=shown_cases(data.summary), definitions=CASE_DEFINITIONS)


def spread(data: ReportData) -> Section | None:
    """How much scores depend on the order of scanners, or on the replicate."""
    table = order_spread_table(data.runs)
    if table.empty:
        return None
    shown = shown_order_spread(table)
    if data.replicates:
        shown = shown.drop(columns="seeds").rename(columns={"orders": "replicates"})
    return Section(
        "Spread over replicates" if data.replicates else "Spread over orders",
        table=shown,
        definitions=SPREAD_DEFINITIONS_OF_REPLICATES if data.replicates else SPREAD_DEFINITIONS,
        files={"order_spread": table},
    )


def gains(data: ReportData) -> Section | None:
    """Gains of every strategy over fine-tuning."""
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
    return Section("Cost of a run", table=shown_costs(data.summary), definitions=COST_DEFINITIONS)


def tests(data: ReportData) -> Section | None:
    """Paired tests of every two networks."""
    found = paired_tests(data.last_dice)
    if found.empty:
        return None
    return Section(
        TESTS_TITLE, table=shown_tests(found), notes=few_patients(found), files={"tests": found}
    )


def agreement(data: ReportData) -> Section | None:
    """Bias, limits of agreement and ICC, scanner by scanner."""
    name, areas = data.first_class
    if areas.empty:
        return None
    table = agreement_table(data.areas)
    return Section(
        f"Area of {name} after the last stage",
        table=shown_agreement(_largest_errors(table, name), name),
        notes=_which_errors(table),
        definitions=AREA_DEFINITIONS,
        files={"agreement": table},
    )


def _largest_errors(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of the scanners to be shown: all, of many those with the largest mean error."""
    if not is_many(table["scanner"].nunique()):
        return table
    error = table[table["class"] == name].groupby("scanner")["error_percent"].mean()
    return table[table["scanner"].isin(error.nlargest(SHOWN_OF_MANY).index)]


def _which_errors(table: pd.DataFrame) -> list[str]:
    count = table["scanner"].nunique()
    if not is_many(count):
        return []
    return [
        f"Areas: of {count} scanners the {SHOWN_OF_MANY} with the largest mean error are shown; "
        "agreement.csv has all."
    ]


def _repeats(data: ReportData) -> list[str]:
    """What limits comparisons of rows: a single seed or replicate, or rows with fewer of them."""
    what = random_factor(data.results)
    if data.runs["seed"].nunique() < 2:
        return [f"1 {what[:-1]}: differences between rows carry no interval."]
    counts = data.runs.groupby(["model", "strategy"])["seed"].nunique()
    if not data.replicates or counts.min() == counts.max():
        return []
    return [
        f"Rows are means over {counts.min()} to {counts.max()} replicates, whose streams differ: "
        "differences are of the replicates that both rows have."
    ]


def _not_evaluable(data: ReportData) -> list[str]:
    """A line per network and strategy that did not learn a scanner."""
    notes = []
    for (model, strategy), runs in data.runs_by_configuration.items():
        if unlearned := describe_unlearned(runs):
            when = "after its only stage" if runs[0].is_joint else "right after learning"
            notes.append(
                f"{model} {strategy} is {NOT_EVALUABLE}: Dice {when} is below `learned_dice` of "
                f"the suite: {unlearned}."
            )
    return notes


def _partly_defined(results: Sequence[RunResult]) -> list[str]:
    """Strategies for which one score alone is defined."""
    notes = []
    if joint := sorted({run.strategy for run in results if run.is_joint}):
        notes.append(f"{', '.join(joint)}: one stage on all scanners, so only ACC is defined.")
    if single := sorted({run.strategy for run in results if run.training_regime == "single"}):
        notes.append(
            f"{', '.join(single)}: a network of its own per scanner, so only plasticity is defined."
        )
    if any(run.by_months for run in results):
        notes.append(
            "An experience is a month and has slices of several scanners, so that no moment is "
            "right before or after learning one: BWT, FWT, forgetting, plasticity, E-FWT, RMA and "
            "intransigence are not defined, and `learned_dice` is judged for joint training alone."
        )
    return notes


def _partly_tested(data: ReportData) -> list[str]:
    """What is not defined where not every scanner was tested after every stage."""
    spec = data.results[0].record.spec
    evaluate = spec.evaluate
    if evaluate == "all" or spec.months:
        return []
    if evaluate == "seen":
        return [
            "Scanners were tested from learning them on (evaluate: seen): FWT is not defined, and "
            "forgetting starts from the best Dice since the scanner was learned."
        ]
    if data.runs["forgetting"].notna().any():  # so few scanners that all that count were tested
        return []
    return [
        f"Between tests of all scanners (evaluate: {evaluate}) only the one just learned and the "
        "next one were tested: forgetting, a maximum over stages, is not defined."
    ]


def _coverage(data: ReportData) -> list[str]:
    """Coverage of the intervals, where there are any."""
    covered = data.summary.filter(like=" coverage").to_numpy(float)
    covered = covered[np.isfinite(covered)]
    if not len(covered):
        return []
    low, high = (f"{100 * value:.0f}" for value in (covered.min(), covered.max()))
    share = low if low == high else f"{low} to {high}"
    return [
        f"The 95 % intervals (±) of the summary cover the truth in {share} % of "
        f"simulations with as many patients and {random_factor(data.results)} that vary as these "
        "do."
    ]


def shown_tests(tests: pd.DataFrame) -> pd.DataFrame:
    """The paired tests rounded for reading."""
    return pd.DataFrame({
        "strategy": tests["strategy"],
        "networks": [f"{a} − {b}" for a, b in zip(tests["a"], tests["b"], strict=True)],
        "patients": tests["patients"].astype(str),
        "median difference": tests["median"].map("{:+.3f}".format),
        "p": tests["p"].map("{:.2g}".format),
        "p, Holm": tests["p_holm"].map("{:.2g}".format),
    })  # fmt: skip


def few_patients(tests: pd.DataFrame) -> list[str]:
    """A warning where there are too few patients for such tests to see much."""
    fewest = int(tests["patients"].min())
    if fewest >= FEW_PATIENTS:
        return []
    return [
        f"{TESTS_TITLE}: {fewest} test patients are fewer than {FEW_PATIENTS}; tests of so few "
        "miss what is there."
    ]
