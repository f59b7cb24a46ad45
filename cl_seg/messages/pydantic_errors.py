"""Errors of pydantic as lines that a user can act on: field, what is wrong, what was expected."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cl_seg.messages.suggest import did_you_mean

KeyPath = tuple[Any, ...]
"""Keys and indices that lead to a value."""
Name = Callable[[KeyPath], str]


def dotted(key_path: KeyPath) -> str:
    """``training.steps``"""
    return ".".join(map(str, key_path))


def explain_errors(
    error: ValidationError,
    schema: Any = None,
    expected: Mapping[str, str] | None = None,
    name: Name = dotted,
    source: tuple[Path, Mapping[KeyPath, int]] | None = None,
) -> list[str]:
    """Every error as one line ``file:line: field: what is wrong``, each line once.

    Args:
        error: of a validation.
        schema: model or union of models that was validated against; its fields are suggested for a
            field it does not know.
        expected: field → what belongs there, in words that are better than pydantic's; of "" in the
            whole.
        name: text for a key path.
        source: YAML file and the line of every key path in it; without one, lines begin with the
            field.
    """
    lines = []
    for fault in error.errors():
        key_path = (*fault["loc"], *fault.get("ctx", {}).get("in", ()))
        prefix = ""
        if source:
            path, numbers = source
            known = _known_key_path(key_path, numbers)
            prefix = f"{path}:{numbers.get(known, 1)}: "
            # pydantic's key path also names the kind of a union, which is no key of the file.
            key_path = (*known, key_path[-1]) if fault["type"] == "missing" else known
        text = name(key_path) + _explain(fault, _fields_at(schema, fault["loc"]), expected or {})
        lines.append(prefix + text.removeprefix(": "))
    return list(dict.fromkeys(lines))


def _explain(error: Any, fields: Sequence[str], expected: Mapping[str, str]) -> str:
    """One fault, in words that follow the name of its field."""
    field = str(error["loc"][-1]) if error["loc"] else ""
    expectation = f"expected {expected[field]}" if field in expected else ""
    match error["type"]:
        case "extra_forbidden":
            text = f": unknown field{did_you_mean(field, list(fields))}"
        case "missing":
            text = " is missing" + (expectation and f": {expectation}")
        case "too_short" if error["ctx"]["min_length"] == 1:
            text = f" is empty: {expectation or 'expected at least one entry'}"
        case "union_tag_not_found" | "union_tag_invalid":
            key, tag = error["ctx"]["discriminator"].strip("'"), error["ctx"].get("tag")
            found = f"unknown {key} {tag}" if tag else f"`{key}` is missing"
            text = f": {found}: expected {expected.get(key, 'one of its values')}"
        case "model_attributes_type" | "model_type" | "dict_type" | "dataclass_type":
            text = f": {expectation or 'expected fields (`name: value`)'}"
        case "list_type":
            text = f": {expectation or 'expected a list (`[…]`)'}"
        case "int_parsing" | "int_from_float":
            text = f": expected a whole number, not {error['input']!r}{_as_digits(error['input'])}"
        case "string_pattern_mismatch":
            allowed = _in_words(error["ctx"]["pattern"])
            text = f": expected {allowed}, not {error['input']!r}"
        case _:
            text = f": {_message(error)}"
    return text


def _as_digits(given: object) -> str:
    """How ``1e3``, which YAML takes for text, is written as a whole number."""
    try:
        number = float(str(given))
    except ValueError:
        return ""
    return f": write {number:.0f}" if number.is_integer() else ""


def _in_words(pattern: str) -> str:
    """What names of a pattern of character classes, as in ``^[A-Z][A-Z.]*$``, are made of."""
    classes = re.findall(r"\[(.*?)\]", pattern)
    first, others = classes[0], classes[-1].replace("A-Za-z0-9", "")
    begun = ", beginning with a letter" if "0-9" not in first else ""
    if "." in others and "." not in first:
        begun = ", not beginning with a dot"
    return f"a name of letters, digits and {' '.join(others)}{begun}"


def _message(error: Any) -> str:
    """Pydantic's own message, as ``expected …, not …`` where it says what the input should be."""
    message = str(error["msg"]).removeprefix("Value error, ")
    expectation = message.removeprefix("Input should be ")
    if expectation == message:
        return message
    value = error.get("input")
    instead = f", not {value!r}" if isinstance(value, str | int | float) else ""
    return f"expected {expectation}{instead}"


def _known_key_path(key_path: KeyPath, numbers: Mapping[KeyPath, int]) -> KeyPath:
    """The elements of a key path that are keys of the file."""
    known: KeyPath = ()
    for part in key_path:
        if (*known, part) in numbers:
            known = (*known, part)
    return known


def _fields_at(schema: Any, key_path: KeyPath) -> list[str]:
    """Names of the fields beside the last element of a key path."""
    models = _models(schema)
    for part in key_path[:-1]:
        below = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        tagged = [m for m in models if _is_tagged(m, part)]
        models = [m for annotation in below for m in _models(annotation)] or tagged or models
    return list(dict.fromkeys(field for model in models for field in model.model_fields))


def _models(annotation: Any) -> list[type[BaseModel]]:
    """All models in a type, as those of a union or of a list's items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _is_tagged(model: type[BaseModel], tag: Any) -> bool:
    return any(get_args(field.annotation) == (tag,) for field in model.model_fields.values())
