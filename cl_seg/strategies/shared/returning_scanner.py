"""Where a strategy finds what it keeps of a scanner that the stream returns to."""

from typing import Any


def scanner_position(experience: Any) -> int:
    """Position (from 0) of the first experience on the scanner of an experience.

    What is kept of a scanner is kept under it, so that a return replaces it. An experience of a
    suite that is a return says it by ``first_position``; any other counts as on a new scanner.
    """
    return int(getattr(experience, "first_position", experience.current_experience))
