"""Returns of a stream to a scanner: what was lost until then, and how it comes back.

An order such as A → B → A trains on A twice, on the same slices. The first visit is the reference
of all scores: it is what the diagonal of R means, see :mod:`cl_seg.metrics.continual`.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Return(NamedTuple):
    """An experience on a scanner that the stream has trained on before.

    Attributes:
        scanner: column of R.
        first: position of the first experience on it, from 1.
        back: position of this one.
    """

    scanner: int
    first: int
    back: int


def first_visits(order: Sequence[str]) -> dict[str, int]:
    """Scanner → position, from 1, of the first experience on it; the scanners are R's columns.

    >>> first_visits(["A", "B", "A", "C"])
    {'A': 1, 'B': 2, 'C': 4}
    """
    found: dict[str, int] = {}
    for position, scanner in enumerate(order, start=1):
        found.setdefault(scanner, position)
    return found


def returns_of(order: Sequence[str]) -> list[Return]:
    """The returns of an order of scanners, in stream order.

    >>> returns_of(["A", "B", "A"])
    [Return(scanner=0, first=1, back=3)]
    """
    visits = first_visits(order)
    columns = {scanner: column for column, scanner in enumerate(visits)}
    return [
        Return(columns[scanner], visits[scanner], back)
        for back, scanner in enumerate(order, start=1)
        if back > visits[scanner]
    ]


def lost_before_return(r: npt.ArrayLike, returns: Sequence[Return]) -> float:
    """Mean over returns of R[f, j] − R[b−1, j], for a scanner j learned at f that is back at b.

    NaN without returns.

    >>> lost_before_return([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75], [0.75, 0.5]], [Return(0, 1, 3)])
    0.25
    """
    r = np.asarray(r, float)
    lost = [r[first, j] - r[back - 1, j] for j, first, back in returns]
    return float(np.mean(lost)) if lost else math.nan


def regained(r: npt.ArrayLike, returns: Sequence[Return]) -> float:
    """Mean over returns of R[b, j] − R[b−1, j], for a scanner j that is back at b.

    NaN without returns.

    >>> regained([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75], [0.625, 0.5]], [Return(0, 1, 3)])
    0.125
    """
    r = np.asarray(r, float)
    gains = [r[back, j] - r[back - 1, j] for j, _, back in returns]
    return float(np.mean(gains)) if gains else math.nan


def steps_to_relearn(learned: float, before: float, during: Sequence[tuple[int, float]]) -> float:
    """Optimiser steps of a return after which the score of the first visit is reached again.

    As exact as the points of the curve are close, and biased downwards by their noise.

    Args:
        learned: score when the first visit ended.
        before: score when the return begins.
        during: (step, score) while it is trained on again, by rising step.

    Returns:
        0 where nothing was lost; NaN where the score is not reached again, or not known.

    >>> steps_to_relearn(0.8, 0.6, [(10, 0.7), (20, 0.85), (30, 0.8)])
    20.0
    """
    points = [(0, before), *during]
    return next((float(step) for step, score in points if score >= learned), math.nan)
