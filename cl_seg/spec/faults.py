"""Checks that pydantic validators share: names that are known, names that differ."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from cl_seg.messages.suggest import did_you_mean


def require_known(
    name: str, registry: Mapping[str, Any] | list[str], what: str, field: str, otherwise: str = ""
) -> None:
    """Refuse a name that a registry does not hold, for a pydantic validator to report."""
    if name not in registry:
        hint = did_you_mean(name, registry) + (f" ({otherwise})" if otherwise else "")
        raise PydanticCustomError(
            "unknown", "{text}", {"text": f"unknown {what} {name}{hint}", "in": [field]}
        )


def require_distinct(value: list[Any], names: list[Any], hint: str = "") -> list[Any]:
    """The values, unless two of their names are the same."""
    twice = sorted({str(n) for n in names if names.count(n) > 1})
    if twice:
        text = f"{', '.join(twice)} appears twice" + (f": {hint}" if hint else "")
        raise PydanticCustomError("twice", "{text}", {"text": text})
    return value


def refusal(text: str, *where: str | int) -> PydanticCustomError:
    """The error with which a pydantic validator refuses what is in a field further inside."""
    return PydanticCustomError("refused", "{text}", {"text": text, "in": list(where)})
