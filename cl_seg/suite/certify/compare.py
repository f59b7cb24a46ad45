"""Tables of scores, recorded and recomputed, compared bit for bit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cl_seg.records.certified import Verdict

TOLERANCE = 1e-6
CASE = ("scanner", "case", "class")
POINT = ("step", "scanner", "class")


@dataclass(frozen=True)
class Difference:
    """The largest difference between two tables.

    Attributes:
        size: 0 where every bit is the same, infinite where rows or texts are others.
        score: name of the column, "" where there is none.
    """

    size: float = 0.0
    score: str = ""

    @property
    def verdict(self) -> Verdict:
        """In words."""
        if not self.size:
            return "same bits"
        return "same to 1e-6" if self.size <= TOLERANCE else "different"


def largest_difference(
    recorded: pd.DataFrame, computed: pd.DataFrame, rows: Sequence[str]
) -> Difference:
    """The largest difference of all columns that both tables have.

    Args:
        recorded: scores as they were kept.
        computed: as they are computed now; scores that were added since are left out.
        rows: columns that say which row it is.
    """
    one, other = (table.set_index(list(rows)).sort_index() for table in (recorded, computed))
    if not one.index.equals(other.index):
        return Difference(np.inf, f"the list of {rows[-2]}s")
    shared = [name for name in one.columns if name in other.columns]
    found = [Difference(_difference(one[name], other[name]), name) for name in shared]
    worst = max(found, key=lambda each: each.size, default=Difference())
    return worst if worst.size else Difference()


def _difference(one: pd.Series, other: pd.Series) -> float:
    """Largest absolute difference, relative to values above 1; NaN equals NaN."""
    kinds = [pd.api.types.is_numeric_dtype(column) for column in (one, other)]
    if not all(kinds):
        return 0.0 if list(one) == list(other) else np.inf
    a, b = (column.to_numpy(dtype=float) for column in (one, other))
    if np.array_equal(a, b, equal_nan=True):
        return 0.0
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    return float(np.nanmax(np.abs(a - b) / np.maximum(1.0, np.abs(a))))
