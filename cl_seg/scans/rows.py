"""Rows of a scanner's arrays, written shortly, and the slices they are of."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def stretches(rows: Sequence[int] | np.ndarray) -> str:
    """Row numbers in their order as text, ``0-17 24 30-35``: short where neighbours stay together.

    A stage's process is sent these and not the numbers: 200,000 slices of patients who are in one
    part each take some kilobytes.
    """
    numbers = np.asarray(rows, dtype=np.int64)
    groups = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1) if len(numbers) else []
    return " ".join(str(g[0]) if len(g) == 1 else f"{g[0]}-{g[-1]}" for g in groups)


def row_numbers(text: str) -> np.ndarray:
    """The row numbers that :func:`stretches` wrote."""
    pairs = [[int(end) for end in stretch.split("-")] for stretch in text.split()]
    return np.concatenate([np.arange(p[0], p[-1] + 1) for p in pairs] or [np.arange(0)])


def selected_slices(slices: pd.DataFrame, scanner: str, rows: str) -> pd.DataFrame:
    """Rows of a store's table of slices.

    Args:
        slices: of the store.
        scanner: folder name.
        rows: as :func:`stretches` writes them.
    """
    own = slices[slices["scanner"] == scanner]
    places = pd.Series(np.arange(len(own)), index=own["row"].to_numpy())
    return own.iloc[places.loc[row_numbers(rows)].to_numpy()]
