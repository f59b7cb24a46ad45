"""Holds a subject to the points of the contract and gives a verdict on each."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from cl_seg.messages.errors import InputError
from cl_seg.training.contract.points import POINTS, Broken, changes_scoring, runs
from cl_seg.training.contract.subject import Subject
from cl_seg.training.loop import NonFiniteLoss

ESSENTIAL = frozenset({"runs", "acts", "changes nothing else", "keeps its state"})
"""Without these, whatever the data and the settings of a training, a result means nothing."""
MAY_REFUSE = frozenset({"runs", "batch of one", "bfloat16"})
"""Points at which a plugin may refuse with the reason; elsewhere it ran before."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of one point of the contract.

    Attributes:
        point: name.
        kept: False where it was broken.
        detail: the observation in words.
    """

    point: str
    kept: bool
    detail: str = ""


def check_contract(subject: Subject, only: Collection[str] = ()) -> list[Verdict]:
    """All points, or those named in ``only``; after a crash in the first one there is only that."""
    first = _verdict("runs", partial(runs, subject))
    if not first.kept or first.detail.startswith("refused"):
        return [first]
    points = dict(POINTS) | ({"scores": changes_scoring} if subject.changes_scoring else {})
    chosen = {name: point for name, point in points.items() if not only or name in only}
    return [first, *(_verdict(name, partial(point, subject)) for name, point in chosen.items())]


def _verdict(name: str, point: Callable[[], str]) -> Verdict:
    try:
        return Verdict(name, True, point())
    except (Broken, NonFiniteLoss) as broken:
        return Verdict(name, False, str(broken))
    except InputError as refused:
        return Verdict(name, name in MAY_REFUSE, f"refused: {refused}")
    except Exception as error:  # whatever the plugin raises
        reason = str(error).splitlines()[0] if str(error) else ""
        return Verdict(name, False, f"{type(error).__name__}: {reason}")
