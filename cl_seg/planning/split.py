"""Which slices of a store train, validate and test, as rows that every stage is given."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import pandas as pd

from cl_seg.messages.errors import InputError
from cl_seg.scans.rows import format_ranges
from cl_seg.scans.splits import (
    Fractions,
    check_parts,
    split_by_patient,
    split_with_shared_test,
    split_within_case,
    usable_slices,
)
from cl_seg.spec.settings import Split

Found = TypeVar("Found")
Rows = Mapping[str, Mapping[str, str]]
"""Scanner → part → rows of the scanner's arrays, see :func:`cl_seg.scans.rows.format_ranges`."""


def split_slices(
    slices: pd.DataFrame,
    classes: Sequence[str],
    how: Split,
    scanners: Sequence[str],
    held_out: Sequence[str] = (),
) -> pd.DataFrame:
    """Usable slices of some scanners, with their ``part``.

    The whole store is split, whichever scanners are asked for, so that all runs on a store are
    tested on the same patients.

    Args:
        slices: of the store.
        classes: that a slice must be labelled for.
        how: of the suite.
        scanners: that are used.
        held_out: those of them that are tested only, and have no other part.

    Raises:
        InputError: no slice is labelled for every class, a scanner cannot be split, or no patient
            is shared by all scanners where the test part is of such.
    """
    usable = usable_slices(slices, classes)
    if usable.empty:
        if not slices["labelled"].any():
            raise InputError(
                "no slice of the store has labels: ingest a manifest with a column `labels`"
            )
        raise InputError(f"no slice is labelled for {' and '.join(classes)}: change `classes`")
    if how.test == "shared":
        split = split_with_shared_test(usable, how.validation, how.seed)
    elif how.by == "within_case":
        usable = usable[usable["scanner"].isin(scanners)]
        split = split_within_case(usable, Fractions(how.test, how.validation))
    else:
        split = split_by_patient(usable, Fractions(how.test, how.validation), how.seed)
    split = split[~split["scanner"].isin(held_out) | (split["part"] == "test")]
    check_parts(split, scanners, held_out)
    return split[split["scanner"].isin(scanners)]


def rows_by_part(split: pd.DataFrame, scanners: Sequence[str]) -> dict[str, dict[str, str]]:
    """Row numbers of each scanner and part, in their order, as text."""
    return _by_part(split, scanners, lambda own: format_ranges(own["row"].to_numpy()))


def cases_by_part(split: pd.DataFrame, scanners: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Cases of each scanner and part, in the order of the store."""
    return _by_part(split, scanners, lambda own: list(dict.fromkeys(own["case"])))


def _by_part(
    split: pd.DataFrame, scanners: Sequence[str], of: Callable[[pd.DataFrame], Found]
) -> dict[str, dict[str, Found]]:
    found: dict[str, dict[str, Found]] = {scanner: {} for scanner in scanners}
    for (scanner, part), own in split.groupby(["scanner", "part"]):  # type: ignore[misc]
        found[str(scanner)][str(part)] = of(own)
    return found
