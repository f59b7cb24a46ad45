"""Published values, read from a CSV file."""

from dataclasses import dataclass, fields
from pathlib import Path

from cl_seg.files.csv_file import read_table
from cl_seg.messages.errors import InputError


@dataclass(frozen=True)
class PublishedValue:
    """A line of a file of published values.

    Attributes:
        suite: name of the suite beside which it is shown.
        method: name of a network or semi-automatic tool in reports.
        strategy: name of the strategy in reports, empty for a tool.
        structure: class.
        dice: Dice in 0…1 as printed, empty where nothing is public.
        source: publication that prints it.
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


COLUMNS = tuple(field.name for field in fields(PublishedValue))


def read_published(path: Path) -> list[PublishedValue]:
    """Read a CSV file with the columns of :class:`PublishedValue`.

    Raises:
        InputError: a line has other fields, is there twice, its Dice is no number in 0…1 or has no
            source.
    """
    values: dict[tuple[str, ...], PublishedValue] = {}
    for row in read_table(path, COLUMNS, exact=True):
        value = PublishedValue(**row)
        if value.dice and not _is_dice(value.dice):
            raise row.error("dice", f"expected 0 to 1 or nothing, not {value.dice!r}")
        if value.dice and not value.source:
            raise row.error("source", "a published Dice needs its source")
        if (key := (value.suite, *value.method_key)) in values:
            raise InputError(f"{row.where}: {', '.join(filter(None, key))} is there twice")
        values[key] = value
    return list(values.values())


def _is_dice(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
