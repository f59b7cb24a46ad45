"""CSV tables, read and written in one way: UTF-8, a line number for every row."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cl_seg.files.write import write_text
from cl_seg.messages.errors import InputError, one_line


@dataclass(frozen=True)
class Row(Mapping[str, str]):
    """One row of a table: column → entry, without spaces around it.

    Attributes:
        path: of the table.
        line: in the file, from 1.
        entries: of the columns that were asked for.
    """

    path: Path
    line: int
    entries: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.entries[column]

    def __iter__(self) -> Any:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def where(self) -> str:
        """``file:line``, the beginning of every message about the row."""
        return f"{self.path}:{self.line}"

    def error(self, column: str, fault: str) -> InputError:
        """An error in one entry, to be raised: ``file:line: column: what was expected``."""
        return InputError(f"{self.where}: {column}: {fault}")


def read_table(
    path: Path,
    columns: Sequence[str],
    *,
    optional: Sequence[str] = (),
    exact: bool = False,
    delimiters: str = ",",
    hint: str = "save it as such",
) -> list[Row]:
    """Rows of a CSV file in UTF-8, with or without a byte order mark; empty rows are left out.

    Columns that were not asked for may hold dates of birth: they are dropped, and no message shows
    what a file holds.

    Args:
        path: the file.
        columns: names its first line must have, in any order.
        optional: names it may have; entries of absent ones are "".
        exact: refuse other columns, and rows with fewer entries than columns.
        delimiters: characters that may separate entries; the most frequent one of the first line
            does, because spreadsheets of some countries save semicolons.
        hint: how to mend the file.

    Raises:
        InputError: missing, not CSV in UTF-8, without one of the columns, or with rows that do not
            fit the first line.
    """
    try:
        # newline="": an entry in quotes may hold line breaks, which stay as they are
        text = io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
        first = text.readline()
        delimiter = max(delimiters, key=first.count)
        text.seek(0)
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        rows = [(reader.line_num, [entry.strip() for entry in row]) for row in reader]
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {hint}") from None
    except (OSError, ValueError, csv.Error):
        raise InputError(f"{path} cannot be read as a CSV file in UTF-8: {hint}") from None
    rows = [(line, row) for line, row in rows if any(row)]
    _, header = rows[0] if rows else (1, [])
    _check_header(path, header, columns, optional if exact else None, delimiter, hint)
    for line, row in rows[1:]:
        if len(row) > len(header) or (exact and len(row) < len(header)):
            raise InputError(
                f"{path}:{line}: {len(row)} entries, expected one per column ({len(header)}): "
                "an entry that holds a separator needs quotes around it"
            )
    named = [(line, dict(zip(header, row, strict=False))) for line, row in rows[1:]]
    return [
        Row(path, line, {name: row.get(name, "") for name in (*columns, *optional)})
        for line, row in named
    ]


def _check_header(
    path: Path,
    header: Sequence[str],
    columns: Sequence[str],
    others: Sequence[str] | None,
    delimiter: str,
    hint: str,
) -> None:
    """Refuse a first line; ``others`` are the only columns allowed besides, None for any."""
    known = [*columns, *(others or ())]
    missing = [name for name in columns if name not in header]
    twice = [name for name in known if header.count(name) > 1]
    unknown = [name for name in header if name not in known] if others is not None else []
    if missing:
        fault = f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
    elif twice:
        fault = f"has the column {twice[0]} twice"
    elif unknown:
        fault = f"has an unknown column {unknown[0]!r}"
    else:
        return
    names = {",": "commas", ";": "semicolons"}
    besides = f", optionally {' and '.join(others)}" if others else ""
    raise InputError(
        f"{path} {fault}: expected a first line {delimiter.join(columns)} separated by "
        f"{names.get(delimiter, repr(delimiter))}{besides}; {hint}"
    )


def read_frame(path: Path, columns: Sequence[str], dtype: Any, hint: str) -> pd.DataFrame:
    """A table that cl_seg wrote, for computing.

    Args:
        path: the file.
        columns: names it must have.
        dtype: of columns, as pandas takes it; ``str`` keeps every entry as it is written.
        hint: how to mend the file.

    Raises:
        InputError: missing, not CSV, or without one of the columns.
    """
    try:
        table = pd.read_csv(path, dtype=dtype, keep_default_na=dtype is not str)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as CSV ({one_line(error)}): {hint}") from error
    if missing := [name for name in columns if name not in table]:
        raise InputError(f"{path} lacks the column {missing[0]}: {hint}")
    return table


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file atomically: UTF-8, commas, ``\\n`` at the end of lines."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    write_text(path, text.getvalue())
