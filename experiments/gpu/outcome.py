"""Runs checks part by part within a budget of time, and records what each found."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cl_seg.messages.errors import one_line

Figures = Mapping[str, Any]
Status = Literal["passed", "failed", "not run"]


class CheckFailed(Exception):
    """What a part of a check found is wrong.

    Args:
        reason: in words.
        figures: found nevertheless.
    """

    def __init__(self, reason: str, figures: Figures | None = None) -> None:
        super().__init__(reason)
        self.figures = dict(figures or {})


@dataclass(frozen=True)
class Part:
    """A part of a check, such as one network.

    Attributes:
        name: in the record.
        run: measures and returns figures.
    """

    name: str
    run: Callable[[], Figures]


@dataclass(frozen=True)
class Check:
    """A check of several parts.

    Attributes:
        name: in the record.
        required: False where it only measures.
        parts: run one after another, whatever becomes of the others.
    """

    name: str
    required: bool
    parts: Sequence[Part]


@dataclass(frozen=True)
class PartResult:
    """What became of a part.

    Attributes:
        name: of the part.
        status: passed, failed, or not run because there was no time for it.
        seconds: it took.
        reason: why it is not passed, on one line.
        figures: what it measured.
    """

    name: str
    status: Status
    seconds: float = 0.0
    reason: str = ""
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class CheckResult:
    """What became of a check, part by part."""

    name: str
    required: bool
    parts: Sequence[PartResult]

    @property
    def status(self) -> Status:
        """That of the worst part."""
        found = {part.status for part in self.parts}
        return next((status for status in ("failed", "not run") if status in found), "passed")

    @property
    def longest(self) -> float:
        """Seconds of its longest part."""
        return max((part.seconds for part in self.parts), default=0.0)

    @classmethod
    def not_begun(cls, check: Check) -> "CheckResult":
        """Result of a check before its turn."""
        parts = [PartResult(part.name, "not run", reason="not begun") for part in check.parts]
        return cls(check.name, check.required, parts)

    def json(self) -> dict[str, Any]:
        """As the record holds it."""
        return {
            "check": self.name,
            "required": self.required,
            "status": self.status,
            "seconds": round(sum(part.seconds for part in self.parts), 1),
            "parts": [vars(part) for part in self.parts],
        }


def run_check(check: Check, time_left: Callable[[], float], longest: float = 0.0) -> CheckResult:
    """Run all parts for which there is time.

    A part is begun where more time is left than the longest part before it has taken.

    Args:
        check: that is run.
        time_left: seconds.
        longest: seconds of the longest part of the checks before.
    """
    results: list[PartResult] = []
    for part in check.parts:
        left = time_left()
        if left <= longest:
            reason = f"{max(left, 0):.0f} s were left, a part took up to {longest:.0f} s"
            results.append(PartResult(part.name, "not run", reason=reason))
            continue
        results.append(run_part(part))
        longest = max(longest, results[-1].seconds)
    return CheckResult(check.name, check.required, results)


def run_part(part: Part) -> PartResult:
    """Run a part; whatever goes wrong in it is its result."""
    status: Status = "passed"
    gc.collect()  # what a part before has left in cycles of references is free on the device
    reason, started = "", time.perf_counter()
    try:
        figures = part.run()
    except CheckFailed as failed:
        status, reason, figures = "failed", one_line(failed), failed.figures
    except Exception as error:  # whatever the libraries raise on this machine
        status, reason, figures = "failed", f"{type(error).__name__}: {one_line(error)}", {}
    seconds = round(time.perf_counter() - started, 3)
    return PartResult(part.name, status, seconds, reason, figures)
