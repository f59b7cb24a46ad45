"""Published values, read from a CSV file."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted


@dataclass(frozen=True)
class Published:
    """A line of a file of published values.

    Attributes:
        suite: name of the suite it stands beside.
        method: network or semi-automatic tool, as reports call it.
        strategy: likewise, empty for a tool.
        structure: class.
        dice: in 0…1 as it is printed, empty where nothing is public.
        source: where it is printed.
    """

    suite: str
    method: str
    strategy: str
    structure: str
    dice: str
    source: str

    @property
    def method_key(self) -> tuple[str, str, str]:
        """Method, strategy and structure."""
        return self.method, self.strategy, self.structure


COLUMNS = tuple(field.name for field in fields(Published))


def read_published(path: Path) -> list[Published]:
    """Read a CSV file with the columns of :class:`Published`, in that order.

    Raises:
        InputError: a line has other fields, is there twice, its Dice is no number in 0…1 or has no
            source.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV ({error})") from error
    if not rows or tuple(rows[0][1]) != COLUMNS:
        raise InputError(f"{path}: the first line has to be {','.join(COLUMNS)}")
    found: dict[tuple[str, ...], Published] = {}
    for line, row in rows[1:]:
        where = f"{path}, line {line}"
        if len(row) != len(COLUMNS):
            raise InputError(
                f"{where}: {counted(len(row), 'field')}, expected {len(COLUMNS)}; a text with a "
                "comma needs quotes"
            )
        one = Published(*(field.strip() for field in row))
        if one.dice and not _is_dice(one.dice):
            raise InputError(f"{where}: dice is {one.dice!r}, expected 0 to 1 or nothing")
        if one.dice and not one.source:
            raise InputError(f"{where}: a published Dice needs its source")
        if (key := (one.suite, *one.method_key)) in found:
            raise InputError(f"{where}: {', '.join(filter(None, key))} is there twice")
        found[key] = one
    return list(found.values())


def _is_dice(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
