"""Other methods beside the networks: semi-automatic tools, and published values."""

from difflib import get_close_matches

import numpy as np
import pandas as pd

from cl_seg.analysis.intervals import interval_half_width
from cl_seg.analysis.published import PublishedValue
from cl_seg.analysis.report.section import ReportData, Section
from cl_seg.analysis.tables import is_defined, rounded
from cl_seg.analysis.tools_table import shown_tools
from cl_seg.messages.errors import InputError
from cl_seg.metrics.continual import acc

TOOLS_NOTE = (
    "Semi-automatic tools: the person is simulated, clicks and polygons come from the truth and "
    "are optimistic; textbook methods, no commercial product. Corners of polygons count as "
    "interactions."
)
PUBLISHED_TITLE = "Published values beside ours"
PUBLISHED_NOTE = (
    "Published values are of other patients, scanners and settings, read from the file given "
    "with --published; a dash: nothing is public to us."
)
NAME_SIMILARITY = 0.85
"""Similarity of the names of two suites above which one may be a slip for the other."""


def tools(data: ReportData) -> Section | None:
    """Scores and effort of every tool."""
    if data.tools.empty:
        return None
    return Section(
        "Semi-automatic tools",
        table=shown_tools(data.tools),
        notes=[TOOLS_NOTE],
        files={"tools": data.tools},
    )


def published_values(data: ReportData) -> Section | None:
    """Published values of the suite, in the order of their file; None where no Dice is given.

    Raises:
        InputError: a value is given for a method that the suite does not have.
    """
    values = _of_suite(data)
    if not values:
        return _similar_suite(data)
    dice_here = _last_dice_in_words(data)
    for value in values:
        if value.method_key not in dice_here:
            known = sorted({" ".join(filter(None, key)) for key in dice_here})
            raise InputError(
                f"published values: {_suite(data)} has no "
                f"{' '.join(filter(None, value.method_key))}; it has {', '.join(known)}"
            )
    if not any(value.dice for value in values):
        return None  # a form not filled in yet: what it holds of ours, other tables have
    table = pd.DataFrame({
        "method": [value.method for value in values],
        "strategy": [value.strategy for value in values],
        "structure": [value.structure for value in values],
        "Dice here": [dice_here[value.method_key] for value in values],
        "published Dice": [value.dice or "–" for value in values],
        "source": [value.source for value in values],
    })  # fmt: skip
    return Section(PUBLISHED_TITLE, table=table, notes=[PUBLISHED_NOTE])


def no_values_of_seed_curve(data: ReportData) -> Section | None:
    """A SEED curve has many numbers for each method: no published value is that of one of them.

    Raises:
        InputError: values are given for the suite.
    """
    if _of_suite(data):
        raise InputError(
            f"{_suite(data)} is a SEED curve: published values stand beside streams only"
        )
    return _similar_suite(data)


def _suite(data: ReportData) -> str:
    return data.results[0].record.suite


def _of_suite(data: ReportData) -> list[PublishedValue]:
    return [one for one in data.published if one.suite == _suite(data)]


def _similar_suite(data: ReportData) -> Section | None:
    """A note on values of a suite with almost the same name."""
    suites = {one.suite for one in data.published}
    similar = get_close_matches(_suite(data), suites, n=1, cutoff=NAME_SIMILARITY)
    if not similar:
        return None
    note = f"No published value is of {_suite(data)}; some are of {similar[0]}."
    return Section(PUBLISHED_TITLE, notes=[note])


def _last_dice_in_words(data: ReportData) -> dict[tuple[str, str, str], str]:
    """Dice after the last stage by method, strategy and structure, where it is defined."""
    found = {}
    for (model, strategy), runs in data.runs_by_configuration.items():
        if not is_defined("ACC", runs[0].training_regime):
            continue
        for name in runs[0].classes:
            own = [run.of_class(name) for run in runs]
            mean = float(np.mean([run.score(acc) for run in own]))
            found[model, strategy, name] = rounded(mean, half_width=interval_half_width(own, acc))
    if len(data.tools):
        for row in shown_tools(data.tools).to_dict("records"):
            found[row["tool"], "", row["structure"]] = row["Dice"]
    return found
