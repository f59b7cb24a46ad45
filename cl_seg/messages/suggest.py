"""Suggestions for misspelt names."""

import difflib
from collections.abc import Mapping
from typing import Any

MAX_LISTED = 40
"""Names that an error lists: more would hide what it says."""


def did_you_mean(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """``: did you mean X?`` for the closest known name, or the known names when none is close."""
    by_lower_case = {candidate.lower(): candidate for candidate in known}
    if close := difflib.get_close_matches(name.lower(), list(by_lower_case), n=1):
        return f": did you mean {by_lower_case[close[0]]}?"
    return f": known are {', '.join(known)}" if len(known) <= MAX_LISTED else ""
