"""Suggestions for misspelt names."""

import difflib
from collections.abc import Mapping
from typing import Any


def did_you_mean(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """``: did you mean X?`` for the closest known name, or the known names when none is close."""
    plain = {one.lower(): one for one in known}
    if close := difflib.get_close_matches(name.lower(), list(plain), n=1):
        return f": did you mean {plain[close[0]]}?"
    return f": known are {', '.join(known)}" if len(known) < 12 else ""
