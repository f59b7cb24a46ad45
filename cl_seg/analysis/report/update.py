"""Updates of a saved model: Dice on every scanner before and after."""

from collections.abc import Sequence

from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.update.outcomes import update_of
from cl_seg.analysis.update.summary import update_table
from cl_seg.records.results import RunResult

DEFINITIONS = {
    "before, after": "mean Dice on the test patients of a scanner, classes averaged, of the saved "
    "model and of the updated one; the mean over seeds",
    "slices": "labelled slices of the new scanner that the model was trained on",
}


def table(data: ReportData) -> Section:
    """Dice of every candidate on every scanner, before and after."""
    whole = update_table(data.results)
    return Section(
        "Update", table=whole.round(3), definitions=DEFINITIONS, files={"summary": whole}
    )


def scanners(results: Sequence[RunResult]) -> str:
    """The old scanners, the new one, and those that were held out."""
    update, names = update_of(results[0]), results[0].short_names
    old = " + ".join(names[scanner] for scanner in update.old) or "saved model"
    unseen = ", ".join(names[scanner] for scanner in update.held_out)
    return f"{old} → {names[update.new]}" + (f"; held out: {unseen}" if unseen else "")
