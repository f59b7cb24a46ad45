"""Runs the checks of the contract on a strategy and collects their results."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Literal

from cl_seg.messages.errors import InputError
from cl_seg.messages.own_line import own_line
from cl_seg.training.contract.checks import CHECKS, ContractViolation, changes_scoring, trains
from cl_seg.training.contract.strategy_under_test import StrategyUnderTest
from cl_seg.training.loop import NonFiniteLoss

Status = Literal["passed", "failed", "refused"]
ESSENTIAL = frozenset({"runs", "acts", "changes nothing else", "keeps its state"})
"""Checks without which no result of a plugin means anything, whatever data and settings are."""
MAY_REFUSE = frozenset({"runs", "batch of one", "bfloat16"})
"""Checks in which a plugin may refuse with a reason; in the others it has run before."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes:
        check: its name.
        status: passed, failed, or refused: the plugin itself says why it cannot run here.
        detail: the observation in words.
    """

    check: str
    status: Status
    detail: str = ""


def check_contract(strategy: StrategyUnderTest, only: Collection[str] = ()) -> list[CheckResult]:
    """Results of all checks, or of those named in ``only``.

    If the first check (``runs``) does not pass, its result is the only one.
    """
    first = _result("runs", partial(trains, strategy))
    if first.status != "passed":
        return [first]
    checks = dict(CHECKS) | ({"scores": changes_scoring} if strategy.changes_scoring else {})
    chosen = {name: check for name, check in checks.items() if not only or name in only}
    return [first, *(_result(name, partial(check, strategy)) for name, check in chosen.items())]


def _result(name: str, check: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, "passed", check())
    except (ContractViolation, NonFiniteLoss) as violation:
        return CheckResult(name, "failed", str(violation))
    except InputError as refused:
        status: Status = "refused" if name in MAY_REFUSE else "failed"
        return CheckResult(name, status, f"refused: {refused}")
    except Exception as error:  # whatever the plugin raises
        reason = str(error).splitlines()[0] if str(error) else ""
        return CheckResult(name, "failed", f"{type(error).__name__}: {reason}{own_line(error)}")
