"""The dossier of an update: one page and one JSON file."""

import json
from collections.abc import Sequence
from pathlib import Path

from cl_seg.analysis.figures import overlays
from cl_seg.analysis.figures.forest import ForestPanel, ForestRow, forest
from cl_seg.analysis.figures.style import as_svg
from cl_seg.analysis.report.notes import of_all_runs
from cl_seg.analysis.report.page import Page, html
from cl_seg.analysis.report.provenance import data_origin, provenance, settings_of
from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.update.as_json import as_json
from cl_seg.analysis.update.lineage import card, lineage
from cl_seg.analysis.update.outcomes import roles, update_of
from cl_seg.analysis.update.recommend import Candidate, Recommendation, recommendation
from cl_seg.analysis.update.sentences import answer, notes
from cl_seg.analysis.update.tables import (
    after_minus_before,
    candidate_table,
    cases_that_lost_most,
    scanner_table,
)
from cl_seg.files.write import write_text
from cl_seg.records.load import load_results, read_plan

PAGE, JSON = "update.html", "update.json"
DEFINITIONS = {
    "not worse": "the change is shown to be better than a loss of the margin",
    "worse": "the loss is shown to be larger than the margin",
    "undecided": "neither is shown; the last column says how many more test patients or seeds "
    "would decide with a probability of 80 %, if mean and spread stayed as they are",
    "accepted": "nothing is worse on any scanner, and Dice on the new one rises",
    "rejected": "something is worse, at an error rate divided by the number of scores, or Dice on "
    "the new scanner is shown to gain less than the margin",
    "area error": "absolute error of the area of a case's mean slice: in % of the true area, and "
    "in cm²",
    "patients": "test patients that have the structure",
}
CAPTION = (
    "Changes on {}, after minus before, with one-sided 95 % bounds for other patients and other "
    "seeds. Shaded: worse than the margin allows. Filled dot: not worse, cross: worse, open: "
    "undecided."
)


def write_dossier(folder: Path, parent: Path | None = None) -> Recommendation:
    """Write ``update.html`` and ``update.json`` of the runs of an update suite to its folder.

    Args:
        folder: folder of the results.
        parent: folder of the model that was updated, to be named on the page.

    Returns:
        The recommendation.

    Raises:
        InputError: there is no finished run, or the runs are not of an update suite.
    """
    results = load_results(folder)
    found = recommendation(results)
    runs = of_all_runs(ReportData(results, planned=list(read_plan(folder))))
    sections = [*sections_of(found, parent), runs]
    figures = {name: fig for section in sections for name, (_, fig) in section.figures.items()}
    page = Page(
        title=f"Update with {results[0].short_names[update_of(results[0]).new]}: {found.status}",
        data_origin=data_origin(results),
        subtitle=answer(found),
        sections=sections,
        svg={name: as_svg(figure) for name, figure in figures.items()},
        provenance=provenance(results, "cl-seg update"),
        settings=settings_of(results),
    )
    text = html(page)
    write_text(folder / JSON, json.dumps(as_json(found, parent), indent=1) + "\n")
    write_text(folder / PAGE, text)
    return found


def sections_of(found: Recommendation, parent: Path | None = None) -> list[Section]:
    """The sections of the page, from top to bottom."""
    shown = found.best or max(found.candidates, key=lambda one: one.gain.change.mean)
    candidates = Section(
        "Candidates",
        table=candidate_table(found),
        notes=notes(found),
        definitions=DEFINITIONS,
    )
    scanners = roles(shown.runs[0]).items()
    updated = [] if found.best is None else [Section("Model card", table=card(found.best))]
    return [
        candidates,
        *(_scanner(found.candidates, scanner, role) for scanner, role in scanners),
        _lost_most(shown),
        _pictures(shown),
        Section("What was updated, and how to go back", table=lineage(found, parent)),
        *updated,
    ]


def _scanner(candidates: Sequence[Candidate], scanner: str, role: str) -> Section:
    """What changed on one scanner: a table and a forest plot."""
    run = candidates[0].runs[0]
    title = f"{run.short_names[scanner]} ({role})"
    figure = forest(_panels(candidates, scanner), run.caveats)
    return Section(
        title,
        table=scanner_table(candidates, scanner),
        figures={f"forest_{scanner}": (CAPTION.format(title), figure)},
    )


def _panels(candidates: Sequence[Candidate], scanner: str) -> list[ForestPanel]:
    panels: dict[str, ForestPanel] = {}
    for candidate in candidates:
        for judged in candidate.decisive:
            outcome = judged.outcome
            if outcome.scanner != scanner:
                continue
            edge = -judged.margin if outcome.more_is_better else judged.margin
            row = ForestRow(candidate.title, *after_minus_before(judged), judged.verdict)
            before = panels.get(outcome.name, ForestPanel(outcome.name, edge, []))
            panels[outcome.name] = ForestPanel(outcome.name, edge, [*before.rows, row])
    return list(panels.values())


def _lost_most(candidate: Candidate) -> Section:
    """The cases whose Dice fell most."""
    table = cases_that_lost_most(candidate)
    if table.empty:
        return Section("Cases", notes=[f"{candidate.title}: the Dice of no test case fell."])
    return Section(
        f"Cases that lost most: {candidate.title}",
        table=table.round(3),
        notes=[
            "Cases that lost most: Dice before and after the update, the mean over seeds.",
            "Cases are named as in the store, by hashes of patients: the file that `cl-seg ingest "
            "--paths` writes leads from them to the scans.",
        ],
    )


def _pictures(candidate: Candidate) -> Section:
    """A typical slice of every scanner before and after, and the slices with the lowest Dice."""
    run = candidate.runs[0]
    scanners = [name for name in roles(run) if f"{name}/ranked/last" in run.examples]
    if not scanners:
        return Section("Slices", notes=["There are no pictures: packed results keep none."])
    drawn = (
        f"Filled areas are truth, lines the prediction; {', '.join(overlays.class_colours(run))}."
    )
    which = f"{candidate.title}, seed {run.seed}"
    moments = {"first": "before", "last": "after"}
    typical = f"{which}: a typical test slice of every scanner before and after. {drawn}"
    lowest = (
        f"{which}: the test slice of every scanner with the lowest Dice after the update, "
        f"whatever it was before. {drawn}"
    )
    return Section(
        "Slices",
        figures={
            "typical": (typical, overlays.examples([run], scanners, moments)),
            "lowest": (lowest, overlays.lowest_examples(run, scanners)),
        },
    )
