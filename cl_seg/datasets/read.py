"""Tables and JSON files that come with public sets."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cl_seg.files.json_file import parse_json
from cl_seg.messages.errors import InputError


def read_table(
    path: Path,
    columns: Sequence[str],
    *,
    source: str,
    optional: Sequence[str] = (),
    delimiter: str = ",",
) -> list[dict[str, str]]:
    """Rows of a CSV file in UTF-8, with or without byte order mark.

    Only the named columns are kept: others may hold dates of birth. For the same reason no message
    shows what the file holds.

    Args:
        path: the file.
        columns: names it must have in its first line.
        source: where the file comes from, for messages.
        optional: names it may have; missing ones are "" in every row.
        delimiter: between columns.

    Raises:
        InputError: missing, not a CSV file, without one of the columns, or with a line of more
            values than the first.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file, delimiter=delimiter, strict=True)
            missing = [name for name in columns if name not in (table.fieldnames or [])]
            rows = []
            for line in table:
                if None in line and not missing:  # where csv keeps what has no column
                    raise InputError(
                        f"{path}:{table.line_num}: more than {len(table.fieldnames or [])} values "
                        f"separated by {delimiter!r}: a value that holds one needs quotes around it"
                    )
                rows.append({n: (line.get(n) or "").strip() for n in (*columns, *optional)})
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {source}") from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise InputError(f"{path} cannot be read as a CSV file in UTF-8: {source}") from None
    if missing:
        raise InputError(
            f"{path} lacks the columns {', '.join(missing)}: expected a first line with "
            f"{delimiter.join(columns)} separated by {delimiter!r}; {source}"
        )
    return rows


def read_json(path: Path, *, source: str) -> dict[str, Any]:
    """The object a JSON file holds.

    Raises:
        InputError: missing, or no JSON object.
    """
    try:
        content = parse_json(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {source}") from None
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read as JSON: {source}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} is no JSON object: {source}")
    return content


def check_ct(channels: Any, entry: str, file: Path) -> None:
    """Refuse images that ``dataset.json`` does not call CT: their values are not HU.

    Args:
        channels: number of a channel → its name.
        entry: of the file, where this stands.
        file: for messages.

    Raises:
        InputError: several channels, or one of another name.
    """
    names = [str(name) for name in channels.values()] if isinstance(channels, dict) else []
    if [name.strip().casefold() for name in names] != ["ct"]:
        seen = ", ".join(names) or "nothing"
        raise InputError(
            f'{file}: {entry} says {seen}, expected one channel, {{"0": "CT"}}: images of anything '
            "else hold no Hounsfield units; write CT there if they are CT in HU"
        )


def shown(path: Path) -> bool:
    """Whether a file is one of the set: archives made on a Mac also hold ``._`` copies."""
    return not path.name.startswith(".")
