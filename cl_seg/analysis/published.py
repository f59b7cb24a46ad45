"""What others have published beside what was found here."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from cl_seg.analysis.content import Content
from cl_seg.analysis.intervals import score_margin
from cl_seg.analysis.tables import DEFINED, SCORES, cells, rounded
from cl_seg.analysis.tools_table import shown_tools
from cl_seg.files.csv_file import read_table
from cl_seg.messages.errors import InputError
from cl_seg.metrics.continual import accuracy
from cl_seg.records.results import RunResult

TITLE = "Published values beside ours"
ALIKE = 0.85  # how much a suite is like another that its name may be a slip for


@dataclass(frozen=True)
class Published:
    """A line of a file of published values.

    Attributes:
        suite: name of the suite it stands beside.
        method: network or semi-automatic tool, as reports call it.
        strategy: likewise, empty for a tool.
        structure: class.
        dice: in 0…1 as it is printed, empty where nothing is public.
        source: where it is printed.
    """

    suite: str
    method: str
    strategy: str
    structure: str
    dice: str
    source: str


COLUMNS = tuple(field.name for field in fields(Published))


def read_published(path: Path) -> list[Published]:
    """Read a CSV file with the columns of :class:`Published`.

    Raises:
        InputError: a line has other fields, is there twice, its Dice is no number in 0…1 or has no
            source.
    """
    found: dict[tuple[str, ...], Published] = {}
    for row in read_table(path, COLUMNS, exact=True):
        one = Published(**row)
        if one.dice and not _is_dice(one.dice):
            raise row.error("dice", f"expected 0 to 1 or nothing, not {one.dice!r}")
        if one.dice and not one.source:
            raise row.error("source", "a published Dice needs its source")
        if (key := (one.suite, *_key(one))) in found:
            raise InputError(f"{row.where}: {', '.join(filter(None, key))} is there twice")
        found[key] = one
    return list(found.values())


def _is_dice(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def _key(one: Published) -> tuple[str, str, str]:
    return one.method, one.strategy, one.structure


def with_published(
    content: Content,
    published: Sequence[Published],
    results: Sequence[RunResult],
    tools: pd.DataFrame,
) -> Content:
    """A report with the published values of its suite, in the order of their file.

    Args:
        content: of the report.
        published: of :func:`read_published`.
        results: runs of the suite.
        tools: per-case scores of its semi-automatic tools.

    Raises:
        InputError: values are given for a SEED curve, whose numbers are many for each method, or
            for what the suite does not have.
    """
    suite = results[0].record.suite
    own = [one for one in published if one.suite == suite]
    if not own:
        like = get_close_matches(suite, {one.suite for one in published}, n=1, cutoff=ALIKE)
        notes = [f"No published value is of {suite}; some are of {like[0]}." for _ in like]
        return replace(content, notes=[*content.notes, *notes])
    if results[0].schedule == "seed_curve":
        raise InputError(f"{suite} is a SEED curve: published values stand beside streams only")
    here = _dice_here(results, tools)
    for one in own:
        if _key(one) not in here:
            known = sorted({" ".join(filter(None, key)) for key in here})
            raise InputError(
                f"published values: {suite} has no {' '.join(filter(None, _key(one)))}; it has "
                f"{', '.join(known)}"
            )
    shown = pd.DataFrame({
        "method": [one.method for one in own],
        "strategy": [one.strategy for one in own],
        "structure": [one.structure for one in own],
        "Dice here": [here[_key(one)] for one in own],
        "published Dice": [one.dice or "–" for one in own],
        "source": [one.source for one in own],
    })  # fmt: skip
    note = (
        "Published values are of other patients, scanners and settings, read from the file given "
        "with --published; a dash: nothing is public to us."
    )
    return replace(content, tables={**content.tables, TITLE: shown}, notes=[*content.notes, note])


def _dice_here(
    results: Sequence[RunResult], tools: pd.DataFrame
) -> dict[tuple[str, str, str], str]:
    """Dice after the last stage by method, strategy and structure, where it is defined."""
    found = {}
    for (model, strategy), runs in cells(results).items():
        if "ACC" not in DEFINED.get(runs[0].schedule, SCORES):
            continue
        for name in runs[0].classes:
            own = [run.of_class(name) for run in runs]
            mean = float(np.mean([accuracy(run.matrix()) for run in own]))
            found[model, strategy, name] = rounded(mean, margin=score_margin(own, accuracy))
    if len(tools):
        for row in shown_tools(tools).to_dict("records"):
            found[row["tool"], "", row["structure"]] = row["Dice"]
    return found
