"""Reads JSON files; damage of any kind is one error of one line."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from cl_seg.messages.pydantic_errors import explain_errors

Parsed = TypeVar("Parsed")


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        OSError: it cannot be read.
        ValueError: not UTF-8, not JSON, a key given twice, or nested too deeply.
    """
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str) -> Any:
    """Content of a JSON text.

    Raises:
        ValueError: not JSON, a key given twice, or nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def parse_as(value: Any, dataclass_type: type[Parsed]) -> Parsed:
    """A value read from JSON as a dataclass, the types of all its fields checked.

    Raises:
        ValueError: naming the first field that is missing or wrong.
    """
    try:
        found: Parsed = _adapter(dataclass_type).validate_python(value)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ValueError(explain_errors(error)[0]) from None
    return found


def to_json(value: Any) -> Any:
    """A dataclass as the object that :func:`parse_as` reads."""
    return _adapter(type(value)).dump_python(value, by_alias=True)  # type: ignore[arg-type]


@cache
def _adapter(dataclass_type: Any) -> TypeAdapter[Any]:
    return TypeAdapter(dataclass_type)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # The standard library keeps the last of several, silently.
    content = dict(pairs)
    if len(content) < len(pairs):
        ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{name} is given twice")
    return content


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
