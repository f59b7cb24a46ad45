"""Scanners and patients of a set that does not name them, from a table the user writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cl_seg.datasets.dataset import Case
from cl_seg.files.csv_file import read_table
from cl_seg.messages.errors import InputError
from cl_seg.scans.series import RejectedFile
from cl_seg.scans.sources.files import similar_file

FILE = "scanners.csv"
_HINT = (
    "write a table with the columns case,scanner and optionally patient, a line per image, the "
    "case being the name of its label file without ending"
)


@dataclass(frozen=True)
class Pair:
    """An image and its label file; ``case`` names both."""

    case: str
    image: Path
    labels: Path


def assign_scanners(
    pairs: Sequence[Pair], folder: Path, table: Path | None
) -> tuple[list[Case], list[RejectedFile], list[str]]:
    """Give images their scanner and patient.

    Args:
        pairs: images of the set.
        folder: of the set; its ``scanners.csv`` is used where no table is given.
        table: columns ``case``, ``scanner`` and optionally ``patient``; a case without patient is
            a patient of its own. Without any table the set counts as one scanner, named like
            its folder.

    Returns:
        Cases, images left out, and notes.

    Raises:
        InputError: the table cannot be read, or contradicts itself.
    """
    default_table = folder / FILE
    table = table or (default_table if default_table.exists() else None)
    notes: list[str] = []
    if table is None:
        name = folder.resolve().name
        assigned = {pair.case: (name, pair.case) for pair in pairs}
        notes.append(f"the set names no scanners: all of it counts as one, {name}; {_HINT}")
    else:
        rows = read_table(table, ["case", "scanner"], optional=["patient"], hint=_HINT)
        assigned = {row["case"]: (row["scanner"], row["patient"] or row["case"]) for row in rows}
        for row in rows:
            if assigned[row["case"]] != (row["scanner"], row["patient"] or row["case"]):
                raise InputError(
                    f"{table}: {row['case']} is listed twice, with two scanners or patients"
                )
    cases, left_out = [], []
    for pair in pairs:
        scanner, patient = assigned.get(pair.case, ("", ""))
        if not pair.image.is_file():
            near = similar_file(pair.image, pair.case)
            left_out.append(RejectedFile(pair.image, f"the image is missing{near}"))
        elif not pair.labels.is_file():
            near = similar_file(pair.labels, pair.case)
            left_out.append(RejectedFile(pair.image, f"it has no label file{near}"))
        elif not scanner:
            left_out.append(RejectedFile(pair.image, f"{table} names no scanner for it"))
        else:
            cases.append(Case(pair.image, pair.labels, patient, scanner))
    return cases, left_out, notes
