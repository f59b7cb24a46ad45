"""Scores of semi-automatic tools, by tool and structure."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cl_seg.files.csv_file import read_frame
from cl_seg.messages.errors import InputError
from cl_seg.records.damage import DamagedResults
from cl_seg.records.matrices import accuracy_matrices
from cl_seg.records.record import matrix_rows
from cl_seg.records.results import RunResult
from cl_seg.records.tables import InMemoryTables

SCORES = ("dice", "hd95_mm", "area_error_percent", "seconds_per_slice", "interactions_per_slice")
TEXT = dict.fromkeys(("tool", "class", "scanner", "patient", "case"), str)
NEEDED = (*TEXT, "true")


def load_tools(folder: Path) -> pd.DataFrame:
    """Per-case scores of all tools of a suite; empty where there are none.

    Raises:
        InputError: a table is damaged.
    """
    tables = []
    for path in sorted((folder / "tools").glob("*.csv")):
        try:
            table = read_frame(path, (*NEEDED, *SCORES), TEXT, "remove it, run again")
        except InputError as error:
            raise DamagedResults(str(error)) from error
        tables.append(table.assign(name=path.stem))
    return pd.concat(tables) if tables else pd.DataFrame()


def shown_tools(cases: pd.DataFrame) -> pd.DataFrame:
    """A row per tool and structure: means over the cases that have the structure, per scanner and
    then over scanners, as for networks; and the range over scanners of Dice.
    """
    having = cases[cases["true"] > 0]
    rows = []
    for (tool, structure), tool_cases in having.groupby(["tool", "class"], sort=False):
        by_scanner = tool_cases.groupby("scanner", sort=False)[list(SCORES)].mean()
        mean, dice = by_scanner.mean(), by_scanner["dice"]
        rows.append({
            "tool": tool,
            "structure": structure,
            "cases": len(tool_cases),
            "Dice": f"{mean['dice']:.3f}",
            "over scanners": f"{dice.min():.3f} to {dice.max():.3f}",
            "HD95 mm": f"{mean['hd95_mm']:.1f}",
            "area error %": f"{mean['area_error_percent']:+.1f}",
            **_incomplete(having, tool_cases),
            "s per slice": f"{mean['seconds_per_slice']:.2f}",
            "interactions per slice": f"{mean['interactions_per_slice']:.1f}",
        })  # fmt: skip
    return pd.DataFrame(rows)


def _incomplete(all_tools: pd.DataFrame, tool: pd.DataFrame) -> dict[str, str]:
    """Number of a tool's areas of truncated bodies; empty where no tool has any.

    Args:
        all_tools: rows of all tools; older versions have no column ``body_cut``.
        tool: rows of one tool.
    """
    if "body_cut" not in all_tools or not all_tools["body_cut"].fillna(False).any():
        return {}
    return {"incomplete areas": f"{int(tool['body_cut'].fillna(False).sum())} of {len(tool)}"}


def tool_runs(cases: pd.DataFrame, name: str, runs: Sequence[RunResult]) -> list[RunResult]:
    """A tool in the form of runs, one for each of some runs, on its scanners.

    It learns nothing, so that only ACC of its structure is defined.

    Args:
        cases: table of :func:`load_tools`.
        name: name of the tool in the suite.
        runs: runs of one network and strategy.
    """
    tool_cases = cases[cases["name"] == name] if len(cases) else cases
    if tool_cases.empty:
        return []
    classes = (str(tool_cases["class"].iloc[0]),)
    tool_as_runs = []
    for run in runs:
        run_cases = tool_cases[tool_cases["scanner"].isin(run.scanners)]
        if run_cases.empty:
            return []
        before_and_after = pd.concat(
            [run_cases.assign(stage=0), run_cases.assign(stage=1)], ignore_index=True
        )
        matrices = accuracy_matrices(before_and_after, run.scanners, list(classes))
        r = {key: matrix_rows(matrix) for key, matrix in matrices.items()}
        record = run.record.with_scores(r, classes=classes)
        spec = record.spec.model_copy(update={"learned_dice": {}})
        names = {"model": str(tool_cases["tool"].iloc[0]), "schedule": "joint", "spec": spec}
        record = record.model_copy(update=names)
        tool_as_runs.append(replace(run, record=record, tables=InMemoryTables(before_and_after)))
    return tool_as_runs
