"""Import of what a suite names as ``module:callable``."""

from importlib import import_module
from typing import Any

from cl_seg.messages.errors import InputError


def import_target(target: str, role: str) -> Any:
    """The object that ``module:name`` names.

    Args:
        target: ``module:name``.
        role: of it in the suite, for the message: ``network`` or ``strategy``.

    Raises:
        InputError: it cannot be imported.
    """
    module, _, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    except Exception as error:  # whatever a file of the user's raises when imported
        raise InputError(f"{role} {target} cannot be imported: {error}") from error
