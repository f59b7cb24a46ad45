"""Several mistakes in one source, told together: an error for each attempt takes many attempts."""

from collections.abc import Sequence

from cl_seg.messages.errors import InputError

MOST = 20
"""Faults that are told at once."""


def refuse(faults: Sequence[str]) -> None:
    """Raise all faults as one error of a line each, if there are any.

    Raises:
        InputError: up to ``MOST`` of the faults, in their order.
    """
    if len(faults) > MOST:
        faults = [*faults[:MOST], "and more faults like these"]
    if faults:
        raise InputError("\n".join(faults))
