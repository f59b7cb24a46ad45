"""Sections of the report: of streams of scanners, of pairs, and of SEED curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cl_seg.analysis.explorer.embed import explorer
from cl_seg.analysis.explorer.headline import headline
from cl_seg.analysis.pairs import is_pairs
from cl_seg.analysis.report import (
    figures,
    notes,
    other_methods,
    penalty_curves,
    seed_curve,
    stream,
    update,
)
from cl_seg.analysis.report.section import Explorer, ReportData, Section
from cl_seg.records.results import RunResult


@dataclass(frozen=True)
class SuiteReport:
    """The report of suites of one kind.

    Attributes:
        describe_scanners: makes the text on scanners in the line below the title.
        sections: functions that make the sections, in their order; one returns None where it has
            nothing to show.
        headline: makes what came out, in sentences.
        explore: makes the interactive part of the page.
    """

    describe_scanners: Callable[[Sequence[RunResult]], str]
    sections: Sequence[Callable[[ReportData], Section | None]]
    headline: Callable[[ReportData], dict[str, str]] | None = None
    explore: Callable[[ReportData], Explorer] | None = None


STREAM = SuiteReport(
    notes.scanners_of_streams,
    (
        notes.of_all_runs,
        notes.numbers_of_orders,
        stream.summary,
        figures.forgetting_curves,
        figures.accuracy_matrix,
        figures.joint_differences,
        figures.orders,
        figures.plane,
        penalty_curves.curves,
        figures.validation,
        figures.slices,
        figures.ranks,
        figures.bland_altman,
        stream.other_scanners,
        stream.cases,
        stream.spread,
        stream.gains,
        stream.costs,
        stream.tests,
        stream.agreement,
        other_methods.tools,
        other_methods.published_values,
    ),
    headline,
    explorer,
)
PAIRS = SuiteReport(
    notes.scanners_of_streams,
    (
        notes.of_all_runs,
        stream.summary,
        figures.drops_of_pairs,
        stream.other_scanners,
        stream.cases,
        stream.gains,
        stream.costs,
        other_methods.tools,
        other_methods.published_values,
    ),
    headline,
    explorer,
)
SEED_CURVE = SuiteReport(
    notes.scanners_of_seed_curve,
    (
        notes.of_all_runs,
        seed_curve.table,
        seed_curve.curves,
        other_methods.tools,
        other_methods.no_values_of_seed_curve,
    ),
)

UPDATE = SuiteReport(update.scanners, (notes.of_all_runs, update.table, other_methods.tools))


def suite_report_of(results: Sequence[RunResult]) -> SuiteReport:
    """The report of the suite that some runs are of."""
    if results[0].training_regime == "seed_curve":
        return SEED_CURVE
    if results[0].training_regime == "update":
        return UPDATE
    return PAIRS if is_pairs(results) else STREAM
