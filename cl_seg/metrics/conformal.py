"""Split-conformal quantiles, and prediction intervals around a line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def conformal_quantile(scores: Sequence[float] | Values, level: float) -> float:
    """Limit that a further score stays within with a probability of at least ``level``.

    The ⌈(n + 1) level⌉-th smallest of n scores; infinity where n is too small for the level. Holds
    for any distribution if the scores and the further one are exchangeable (Vovk et al. 2005; Lei
    et al. 2018, J. Am. Stat. Assoc. 113).

    Args:
        scores: (n,).
        level: 0 to 1.
    """
    rank = math.ceil((len(scores) + 1) * level)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else math.inf


@dataclass(frozen=True)
class ConformalLine:
    """A straight line that estimates a share from a predictor, with a split-conformal margin.

    Attributes:
        slope, intercept: of the line.
        margin: half the width of the interval, at most 1, which says nothing.
    """

    slope: float
    intercept: float
    margin: float = 1.0

    def estimate(self, predictor: Values) -> Values:
        """Values of the line within 0 to 1."""
        return np.clip(self.slope * np.asarray(predictor) + self.intercept, 0.0, 1.0)

    def interval(self, predictor: float) -> tuple[float, float, float]:
        """Estimate, and lower and upper end of its interval, all within 0 to 1."""
        (estimate,) = self.estimate(np.array([predictor])).tolist()
        return estimate, max(0.0, estimate - self.margin), min(1.0, estimate + self.margin)


def fit_line(
    predictor: Values, outcome: Values, conformal: npt.NDArray[np.bool_], level: float
) -> ConformalLine:
    """Fit a line on some samples by least squares, and its margin on the others.

    The margin is the conformal quantile of |outcome − estimate| (Lei et al. 2018, algorithm 2).

    Args:
        predictor: (n,).
        outcome: (n,), 0 to 1.
        conformal: (n,), True for the samples of the margin; those of the line are at least one.
        level: of the interval, 0 to 1.
    """
    x, y = predictor[~conformal], outcome[~conformal]
    spread = float(np.square(x - x.mean()).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 0 else 0.0
    line = ConformalLine(slope, float(y.mean()) - slope * float(x.mean()))
    errors = np.abs(outcome[conformal] - line.estimate(predictor[conformal]))
    return ConformalLine(line.slope, line.intercept, min(1.0, conformal_quantile(errors, level)))
