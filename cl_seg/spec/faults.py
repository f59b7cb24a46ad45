"""Faults of a suite file in words: one line that names what was expected."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from cl_seg.messages.suggest import did_you_mean


def explain(error: Any, known: list[str]) -> str:
    """A pydantic error in words; ``known`` are the fields it could have meant."""
    name = str(error["loc"][-1]) if error["loc"] else ""
    match error["type"]:
        case "extra_forbidden":
            return f"unknown field{did_you_mean(name, known)}"
        case "missing":
            return "is missing"
        case "union_tag_not_found":
            return "`kind` is missing: expected stream or seed_curve"
        case "union_tag_invalid":
            return f"unknown kind {error['ctx']['tag']}: expected stream or seed_curve"
        case "model_attributes_type" | "model_type" | "dict_type":
            return "expected fields (`name: value`)"
    shown = error.get("input")
    found = f", not {shown!r}" if isinstance(shown, str | int | float) else ""
    message = str(error["msg"]).removeprefix("Input should be ")
    return message if message == error["msg"] else f"expected {message}{found}"


def explain_all(error: ValidationError, known: list[str]) -> str:
    """All faults of a model in one line, each with its field; ``known`` are the model's fields."""
    each = ((".".join(map(str, e["loc"])), explain(e, known)) for e in error.errors())
    return "; ".join(": ".join(filter(None, fault)) for fault in each)


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
