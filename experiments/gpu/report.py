"""The result of a check in lines for reading."""

from collections.abc import Iterator
from typing import Any

from experiments.gpu.outcome import CheckResult, PartResult


def lines(result: CheckResult) -> Iterator[str]:
    """A heading, and a line per part."""
    yield f"{result.name}: {result.status}"
    for part in result.parts:
        yield f"  {part.name:24} {part.status:8} {part.seconds:7.1f} s  {_words(part)}".rstrip()


def _words(part: PartResult) -> str:
    figures = [f"{name} {_short(value)}" for name, value in part.figures.items()]
    return "; ".join([part.reason, *figures] if part.reason else figures)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["median"]) if "median" in value else _pairs(value)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _pairs(value: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_short(inner)}" for name, inner in value.items())
