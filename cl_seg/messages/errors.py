"""The error that every bad input raises."""

from collections.abc import Sequence


class InputError(Exception):
    """Something the user gave is wrong; the message names it, what was expected and how to fix it.

    The command line prints the message on one line and exits with code 2.
    """


def one_line(error: object) -> str:
    """Text of an error on one line: libraries lay theirs out over several."""
    return " ".join(str(error).split())


MAX_FAULTS_SHOWN = 20
"""Faults that one error lists."""


def refuse(faults: Sequence[str]) -> None:
    """Raise all faults as one error of a line each, if there are any.

    An error for each attempt would take many attempts.

    Raises:
        InputError: up to ``MAX_FAULTS_SHOWN`` of the faults, in their order.
    """
    if len(faults) > MAX_FAULTS_SHOWN:
        faults = [*faults[:MAX_FAULTS_SHOWN], "and more faults like these"]
    if faults:
        raise InputError("\n".join(faults))
