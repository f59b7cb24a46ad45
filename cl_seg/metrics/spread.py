"""How far scores lie apart: percentiles of cases, and the spread of a score over orders."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

CASE_PERCENTILES = (5, 25, 50)


def case_percentiles(values: npt.ArrayLike) -> tuple[float, float, float]:
    """5th and 25th percentile and median of the scores of cases, interpolated linearly.

    A mean hides the few cases that fail. Percentiles are of type 7 of Hyndman & Fan 1996. NaN
    values are left out; all NaN without any other.

    >>> case_percentiles([0.0, 0.5, 1.0])
    (0.05, 0.25, 0.5)
    """
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    if not len(known):
        return math.nan, math.nan, math.nan
    low, quarter, middle = np.percentile(known, CASE_PERCENTILES)
    return float(low), float(quarter), float(middle)


class Spread(NamedTuple):
    """Standard deviation and its interval, in the unit of the values."""

    sd: float
    lower: float
    upper: float


def order_spread(values: npt.ArrayLike, level: float = 0.95) -> Spread:
    """Standard deviation of a score over orders of scanners, with a χ² interval.

    ``s = √(Σ (x − x̄)² / (k − 1))``, from ``s · √((k − 1) / χ²)`` at the upper to that at the lower
    quantile of χ² with k − 1 degrees of freedom (Snedecor & Cochran 1989): the interval of
    normal values of which these are a sample. Seeds that differ add to the spread; average them
    first.

    Args:
        values: (k,), one per order.
        level: coverage.

    Returns:
        NaN for fewer than two orders or with a NaN value.
    """
    scores = np.asarray(values, float)
    freedom = len(scores) - 1
    if freedom < 1 or np.isnan(scores).any():
        return Spread(math.nan, math.nan, math.nan)
    sd = float(scores.std(ddof=1))
    tails = (float(chi2.ppf(share, freedom)) for share in ((1 + level) / 2, (1 - level) / 2))
    lower, upper = (sd * math.sqrt(freedom / tail) for tail in tails)
    return Spread(sd, lower, upper)
