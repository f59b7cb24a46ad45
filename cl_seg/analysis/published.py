"""What others have published beside what was found here."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cl_seg.analysis.content import Content
from cl_seg.analysis.intervals import score_margin
from cl_seg.analysis.results import RunResult
from cl_seg.analysis.tables import SCORES, cells, rounded
from cl_seg.analysis.tools_table import shown_tools
from cl_seg.files import InputError

TITLE = "Published values beside ours"
COLUMNS = ("suite", "method", "strategy", "structure", "dice", "source")


def read_published(path: Path) -> pd.DataFrame:
    """Published Dice: a CSV file with the columns suite, method, strategy, structure, dice, source.

    ``method`` is a network or a semi-automatic tool as reports call it, ``strategy`` empty for
    tools; ``dice`` lies in 0…1 and is empty where nothing is public.

    Raises:
        InputError: a column is missing, a Dice is no number in 0…1, or has no source.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as CSV ({error})") from error
    if missing := [c for c in COLUMNS if c not in table]:
        raise InputError(f"{path} lacks the column {missing[0]}: it needs {', '.join(COLUMNS)}")
    dice = pd.to_numeric(table["dice"], errors="coerce")
    for line, (text, value, source) in enumerate(
        zip(table["dice"], dice, table["source"], strict=True), start=2
    ):
        if text and not 0 <= value <= 1:
            raise InputError(f"{path}, line {line}: dice is {text!r}, expected 0 to 1 or nothing")
        if text and not source:
            raise InputError(f"{path}, line {line}: a published Dice needs its source")
    return table.assign(dice=dice)


def with_published(
    content: Content, published: pd.DataFrame, results: Sequence[RunResult], tools: pd.DataFrame
) -> Content:
    """A report with the published values of its suite, in the order of their file.

    Args:
        content: of the report.
        published: of :func:`read_published`.
        results: runs of the suite.
        tools: per-case scores of its semi-automatic tools.
    """
    own = published[published["suite"] == results[0].record["suite"]]
    if own.empty:
        return content
    found = _found(results, tools)
    shown = pd.DataFrame({
        "method": own["method"],
        "strategy": own["strategy"],
        "structure": own["structure"],
        "Dice here": [found.get(key, "–") for key in _keys(own)],
        "published Dice": own["dice"].map(rounded),
        "source": own["source"],
    })  # fmt: skip
    note = (
        "Published values are of other patients, scanners and settings; a dash: not public to us. "
        "They are read from the file given with --published and can be added there."
    )
    return replace(content, tables={**content.tables, TITLE: shown}, notes=[*content.notes, note])


def _keys(own: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(own["method"], own["strategy"], own["structure"], strict=True))


def _found(results: Sequence[RunResult], tools: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    accuracy = SCORES["ACC"]
    found = {}
    for (model, strategy), runs in cells(results).items():
        for name in runs[0].classes:
            own = [run.of_class(name) for run in runs]
            mean = float(np.mean([accuracy(run.matrix()) for run in own]))
            found[model, strategy, name] = rounded(mean, margin=score_margin(own, accuracy))
    if len(tools):
        for row in shown_tools(tools).to_dict("records"):
            found[row["tool"], "", row["structure"]] = row["Dice"]
    return found
