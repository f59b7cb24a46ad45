"""Names of scanners on figures: long ones are wrapped and get the room they need."""

import math
from collections.abc import Sequence
from textwrap import wrap

from matplotlib.axes import Axes

from cl_seg.analysis.many_scanners import MOST_SCANNERS, SHOWN_OF_MANY, is_many

WRAP_AFTER_CHARACTERS = 20
CHARACTER_WIDTH = 0.075  # inches, about, at 9 points
SLANT_DEGREES = 45  # at which two lines need less than half an inch between ticks


def wrapped(name: str, width: int = WRAP_AFTER_CHARACTERS) -> str:
    """The name on two lines of about the same length, or more if it is very long.

    A name no longer than ``width`` is left as it is.
    """
    if len(name) <= width:
        return name
    lines = max(2, math.ceil(len(name) / (1.25 * width)))
    even = range(len(name) // lines, len(name) + 1)
    tried = (wrap(name, n, break_long_words=False, break_on_hyphens=False) for n in even)
    return "\n".join(next(found for found in tried if len(found) <= lines))


def any_long(names: Sequence[str]) -> bool:
    """True where a name is wrapped."""
    return any(len(name) > WRAP_AFTER_CHARACTERS for name in names)


def longest_line(names: Sequence[str]) -> int:
    """Characters of the longest line of wrapped names."""
    return max(len(line) for name in names for line in wrapped(name).split("\n"))


def extra_width(names: Sequence[str], have: float) -> float:
    """Inches that long names beside the rows of a panel take beyond those it has."""
    return max(0.0, CHARACTER_WIDTH * longest_line(names) + 0.25 - have) if any_long(names) else 0.0


def extra_height(names: Sequence[str]) -> float:
    """Inches that long names below a panel take beyond those of short ones."""
    return 0.75 * CHARACTER_WIDTH * longest_line(names) if any_long(names) else 0.0


def thinned(count: int, most: int = MOST_SCANNERS) -> slice:
    """Every k-th of many names, at most about ``most``, so that they do not cover each other."""
    return slice(None, None, math.ceil(count / most) if is_many(count) else 1)


def name_columns(axes: Axes, at: Sequence[float], names: Sequence[str]) -> None:
    """Slanted names below a panel, long ones wrapped, of many every k-th."""
    kept = thinned(len(names), SHOWN_OF_MANY)
    at, names = at[kept], names[kept]
    if any_long(names):
        shown = [wrapped(name) for name in names]
        axes.set_xticks(
            at, shown, rotation=SLANT_DEGREES, ha="right", rotation_mode="anchor", va="center"
        )
        axes.tick_params(axis="x", pad=6, labelsize=8)
    else:
        axes.set_xticks(at, names, rotation=30, ha="right")


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names beside the rows of a panel, long ones wrapped, of many every k-th."""
    kept = thinned(len(names))
    axes.set_yticks(range(len(names))[kept], [wrapped(name) for name in names[kept]])
    if any_long(names):
        axes.tick_params(axis="y", labelsize=8)
