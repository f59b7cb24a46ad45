"""Is a change worse than its margin allows? Three answers, and what would decide."""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scipy.stats import norm

from cl_seg.analysis.update.bounds import Spread, Values, spread_of
from cl_seg.spec.update import MIN_PATIENTS, MIN_SEEDS

Verdict = Literal["not worse", "worse", "undecided"]
ALPHA = 0.05
"""Error rate of one bound."""
POWER = 0.8
MOST_PATIENTS, MOST_SEEDS = 1000, 50
"""Numbers beyond which "more" is no advice."""


@dataclass(frozen=True)
class Change:
    """A mean change with its bounds, more is better.

    Attributes:
        mean: NaN without any patient.
        lower, upper: one-sided bounds, each at the error rate ``ALPHA``; NaN where there are too
            few patients or seeds for any.
        spread: what other bounds follow from; None where there are none.
        patients, seeds: numbers of them.
    """

    mean: float
    lower: float = math.nan
    upper: float = math.nan
    spread: Spread | None = None
    patients: int = 0
    seeds: int = 0

    def above(self, bound: float, alpha: float = ALPHA) -> bool:
        """True where the change is shown to be above ``bound``, at an error rate of ``alpha``."""
        return self.spread is not None and self.spread.lower_bound(alpha) > bound

    def below(self, bound: float, alpha: float = ALPHA) -> bool:
        """True where the change is shown to be below ``bound``, at an error rate of ``alpha``."""
        return self.spread is not None and self.spread.upper_bound(alpha) < bound


def change_of(values: Values) -> Change:
    """The mean of changes (P, S), more is better, with its bounds."""
    spread = spread_of(values)
    if spread is None:
        mean = float(values.mean()) if values.size else math.nan
        return Change(mean, patients=len(values), seeds=values.shape[1])
    bounds = spread.lower_bound(ALPHA), spread.upper_bound(ALPHA)
    return Change(spread.mean, *bounds, spread, spread.patients, spread.seeds)


def verdict(change: Change, margin: float, alpha: float = ALPHA) -> Verdict:
    """``not worse``: above −margin; ``worse``: below −margin; else ``undecided``.

    Both are tests of one question, whether more is lost than the margin allows, so that never both
    are true. A loss that is certain but smaller than the margin is ``not worse``: that is what a
    margin is for.
    """
    if change.above(-margin, alpha):
        return "not worse"
    return "worse" if change.below(-margin, alpha) else "undecided"


def needed(change: Change, bound: float, alpha: float = ALPHA) -> str:
    """What would decide whether a change is above or below ``bound``, in words.

    Patients, or else seeds, or else both, with which the decision falls with a probability of
    ``POWER`` if mean and spread stay as they are: those for which |mean − bound| is at least the
    half width and z[POWER] standard errors.
    """
    spread = change.spread
    if spread is None:
        return _without_bounds(change)
    toward = spread if spread.mean > bound else spread.reversed()
    distance, patients, seeds = abs(spread.mean - bound), spread.patients, spread.seeds

    def decides(of_patients: int, of_seeds: int) -> bool:
        then = toward.projected(of_patients, of_seeds)
        half_width = then.mean - then.lower_bound(alpha)
        return bool(half_width + norm.ppf(POWER) * then.standard_error <= distance)

    if found := _fewest(lambda number: decides(number, seeds), patients, MOST_PATIENTS):
        return f"about {found - patients} more test patients (now {patients})"
    if found := _fewest(lambda number: decides(patients, number), seeds, MOST_SEEDS):
        return f"about {found - seeds} more seeds (now {seeds}), not patients: seeds vary too much"
    if found := _fewest(lambda k: decides(k * patients, k * seeds), 1, MOST_SEEDS // seeds):
        return f"about {found} times the test patients and {found} times the seeds"
    return "neither more test patients nor more seeds: too close to the margin"


def _without_bounds(change: Change) -> str:
    """What is missing for any bound."""
    missing = []
    if change.patients < MIN_PATIENTS:
        missing.append(f"at least {MIN_PATIENTS} test patients (now {change.patients})")
    if change.seeds < MIN_SEEDS:
        missing.append(f"at least {MIN_SEEDS} seeds (now {change.seeds})")
    return " and ".join(missing)


def _fewest(decides: Callable[[int], bool], have: int, most: int) -> int:
    """The smallest number above ``have`` that decides; 0 where not even ``most`` does."""
    if most <= have or not decides(most):
        return 0
    return have + 1 + bisect_left(range(have + 1, most), True, key=decides)
