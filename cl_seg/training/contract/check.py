"""Runs the checks of the contract on a strategy."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Literal

from cl_seg.messages.errors import InputError
from cl_seg.training.contract.points import POINTS, Broken, changes_scoring, runs
from cl_seg.training.contract.subject import Subject
from cl_seg.training.loop import NonFiniteLoss

Status = Literal["passed", "failed", "refused"]
ESSENTIAL = frozenset({"runs", "acts", "changes nothing else", "keeps its state"})
"""Without these, whatever the data and the settings of a training, a result means nothing."""
MAY_REFUSE = frozenset({"runs", "batch of one", "bfloat16"})
"""Checks at which a plugin may refuse with the reason; elsewhere it ran before."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check of the contract.

    Attributes:
        check: name.
        status: passed, failed, or refused: the plugin itself says why it cannot run here.
        detail: the observation in words.
    """

    check: str
    status: Status
    detail: str = ""


def check_contract(subject: Subject, only: Collection[str] = ()) -> list[CheckResult]:
    """Results of all checks, or of those named in ``only``.

    If the first check (``runs``) does not pass, its result is the only one.
    """
    first = _result("runs", partial(runs, subject))
    if first.status != "passed":
        return [first]
    points = dict(POINTS) | ({"scores": changes_scoring} if subject.changes_scoring else {})
    chosen = {name: point for name, point in points.items() if not only or name in only}
    return [first, *(_result(name, partial(point, subject)) for name, point in chosen.items())]


def _result(name: str, point: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, "passed", point())
    except (Broken, NonFiniteLoss) as broken:
        return CheckResult(name, "failed", str(broken))
    except InputError as refused:
        status: Status = "refused" if name in MAY_REFUSE else "failed"
        return CheckResult(name, status, f"refused: {refused}")
    except Exception as error:  # whatever the plugin raises
        reason = str(error).splitlines()[0] if str(error) else ""
        return CheckResult(name, "failed", f"{type(error).__name__}: {reason}")
