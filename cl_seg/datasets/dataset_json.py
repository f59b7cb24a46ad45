"""``dataset.json`` as nnU-Net and the Decathlon write it: modality, classes and label values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cl_seg.files.json_file import parse_json
from cl_seg.messages.errors import InputError

_EXPECTED_SYNTAX = 'expected names with whole numbers, e.g. "liver": 1'


def read_json(path: Path, *, hint: str) -> dict[str, Any]:
    """The object a JSON file holds.

    Raises:
        InputError: missing, or no JSON object.
    """
    try:
        content = parse_json(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {hint}") from None
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read as JSON: {hint}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} is no JSON object: {hint}")
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


@dataclass(frozen=True)
class JsonLabels:
    """Classes of a ``dataset.json``.

    Attributes:
        values: class → label values, exclusive of each other.
        ignored: value of the label named ``ignore``.
        background: values named ``background`` besides 0, and those of regions left out alone.
        notes: regions that are left out.
    """

    values: dict[str, tuple[int, ...]]
    ignored: tuple[int, ...]
    background: tuple[int, ...]
    notes: list[str]


def read_labels(labels: Any, where: Path) -> JsonLabels:
    """Read ``labels`` of nnU-Net v2: name → value, or → values of a region.

    A store's classes exclude each other: of regions that overlap the smallest are kept.

    Args:
        labels: the entry of the file.
        where: the file, for messages.

    Raises:
        InputError: not of this form, or without any class.
    """
    named = _numbers(labels, where)
    ignored, background = named.pop("ignore", ()), set(named.pop("background", ())) - {0}
    notes: list[str] = []
    kept: set[str] = set()
    taken: set[int] = {*ignored, *background}
    for name in sorted(named, key=lambda name: len(named[name])):
        if taken.isdisjoint(named[name]):
            kept.add(name)
            taken.update(named[name])
        else:
            listed = ",".join(map(str, named[name]))
            notes.append(
                f"{name} ({listed}) overlaps other classes and is left out: to have it instead, "
                "change the --label options"
            )
    values = {name: numbers for name, numbers in named.items() if name in kept}
    if not values:
        raise InputError(f"{where}: labels names no class besides background")
    of_regions = {number for numbers in named.values() for number in numbers}
    return JsonLabels(values, ignored, tuple(sorted(background | of_regions - taken)), notes)


def _numbers(labels: Any, where: Path) -> dict[str, tuple[int, ...]]:
    named: dict[str, tuple[int, ...]] = {}
    if not isinstance(labels, Mapping):
        raise InputError(f"{where}: labels: {_EXPECTED_SYNTAX}")
    for text, given in labels.items():
        values: list[Any] = given if isinstance(given, list) else [given]
        if not values or not all(isinstance(v, int) and v >= 0 for v in values):
            raise InputError(f"{where}: labels: {text}: {_EXPECTED_SYNTAX}")
        name = _class_name(str(text))
        if name in named:
            raise InputError(f"{where}: labels: two classes are named {name}")
        if 0 not in values or name == "background":
            named[name] = tuple(values)
    return named


def _class_name(text: str) -> str:
    """A name ``cl-seg ingest --label`` takes: ASCII letters, digits, ``_`` and ``-``."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-")
    if name.casefold() in {"background", "ignore"}:
        return name.casefold()
    return name if re.match(r"[A-Za-z]", name) else f"class_{name}"
