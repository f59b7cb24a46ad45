"""Compares two folders of finished runs bit for bit: R, per-case scores and validation curves.

Run after a refactoring, with results computed before and after it:

    python -m experiments.same_results results/before results/after

Prints a line per run that differs and ends with exit code 1 if there is one.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult


def differences(before: RunResult, after: RunResult) -> list[str]:
    """Names of what differs between two records of one run; empty where every bit is the same."""
    found = [
        f"R of {name}"
        for name in (*before.classes, "mean")
        if not np.array_equal(before.matrix(name), after.matrix(name), equal_nan=True)
    ]
    for name in ("cases", "curve"):
        one, other = (_sorted(getattr(result, name)) for result in (before, after))
        if not one.equals(other):
            found.append(name)
    return found


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    columns = sorted(table.columns)
    keys = [name for name in ("stage", "step", "scanner", "case", "class") if name in columns]
    return table[columns].sort_values(keys).reset_index(drop=True)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    options = parser.parse_args()
    before, after = (
        {result.run_id: result for result in load_results(folder)}
        for folder in (options.before, options.after)
    )
    lines = [f"{run}: in one folder only" for run in sorted(before.keys() ^ after.keys())]
    for run in sorted(before.keys() & after.keys()):
        if found := differences(before[run], after[run]):
            lines.append(f"{run}: {', '.join(found)}")
    same = len(before.keys() & after.keys())
    sys.stdout.write("\n".join([*lines, f"{same} runs compared, {len(lines)} differ"]) + "\n")
    sys.exit(bool(lines or not same))


if __name__ == "__main__":
    main()
