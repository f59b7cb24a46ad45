"""Ranges of whole numbers as text, and the slices that row numbers stand for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def format_ranges(numbers: Sequence[int] | np.ndarray, separator: str = " ") -> str:
    """Whole numbers in their order as text, ``0-17 24 30-35``: short where neighbours are adjacent.

    A stage's process is sent row numbers in this form: 200,000 slices of patients who are in one
    part each take some kilobytes.
    """
    numbers = np.asarray(numbers, dtype=np.int64)
    groups = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1) if len(numbers) else []
    return separator.join(str(g[0]) if len(g) == 1 else f"{g[0]}-{g[-1]}" for g in groups)


def parse_ranges(text: str) -> np.ndarray:
    """Numbers, none negative, that :func:`format_ranges` wrote."""
    pairs = [[int(end) for end in one.split("-")] for one in text.split()]
    return np.concatenate([np.arange(p[0], p[-1] + 1) for p in pairs] or [np.arange(0)])


def selected_slices(slices: pd.DataFrame, scanner: str, rows: str) -> pd.DataFrame:
    """Rows of a store's table of slices.

    Args:
        slices: of the store.
        scanner: folder name.
        rows: as :func:`format_ranges` writes them.
    """
    scanner_slices = slices[slices["scanner"] == scanner]
    places = pd.Series(np.arange(len(scanner_slices)), index=scanner_slices["row"].to_numpy())
    return scanner_slices.iloc[places.loc[parse_ranges(rows)].to_numpy()]
