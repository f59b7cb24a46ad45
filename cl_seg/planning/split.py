"""Which slices of a store train, validate and test, as rows that every stage is given."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.scans.splits import (
    Fractions,
    check_parts,
    split_by_patient,
    split_within_case,
    usable_slices,
)
from cl_seg.spec.settings import Split

Rows = Mapping[str, Mapping[str, str]]
"""Scanner → part → rows of the scanner's arrays, as :func:`stretches` writes them."""


def split_slices(
    slices: pd.DataFrame, classes: Sequence[str], how: Split, scanners: Sequence[str]
) -> pd.DataFrame:
    """Usable slices of some scanners, with their ``part``.

    The whole store is split, whichever scanners are asked for, so that all runs on a store are
    tested on the same patients.

    Args:
        slices: of the store.
        classes: that a slice must be labelled for.
        how: of the suite.
        scanners: that are used.

    Raises:
        InputError: no slice is labelled for every class, or a scanner cannot be split.
    """
    usable = usable_slices(slices, classes)
    if usable.empty:
        if not slices["labelled"].any():
            raise InputError(
                "no slice of the store has labels: ingest a manifest with a column `labels`"
            )
        raise InputError(f"no slice is labelled for {' and '.join(classes)}: change `classes`")
    fractions = Fractions(test=how.test, validation=how.validation)
    if how.by == "within_case":
        usable = usable[usable["scanner"].isin(scanners)]
        split = split_within_case(usable, fractions)
    else:
        split = split_by_patient(usable, fractions, how.seed)
    check_parts(split, scanners)
    return split[split["scanner"].isin(scanners)]


def rows_by_part(split: pd.DataFrame, scanners: Sequence[str]) -> dict[str, dict[str, str]]:
    """Rows of each scanner and part, in their order, written as stretches."""
    found: dict[str, dict[str, str]] = {scanner: {} for scanner in scanners}
    for (scanner, part), own in split.groupby(["scanner", "part"]):  # type: ignore[misc]
        found[str(scanner)][str(part)] = stretches(own["row"].to_numpy())
    return found


def cases_by_part(split: pd.DataFrame, scanners: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Cases of each scanner and part, in the order of the store."""
    found: dict[str, dict[str, list[str]]] = {scanner: {} for scanner in scanners}
    for (scanner, part), own in split.groupby(["scanner", "part"]):  # type: ignore[misc]
        found[str(scanner)][str(part)] = list(dict.fromkeys(own["case"]))
    return found


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
