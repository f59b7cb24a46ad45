"""One-sided confidence bounds of a mean change, for other patients and other seeds.

A change is (P, S): every test patient, with every seed; both are random and crossed, as in
:mod:`cl_seg.analysis.intervals`. A bound here errs on the side of caution, because a wrong "not
worse" lets a model out that harms: it is never closer to the mean than Student's t would have it.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from cl_seg.analysis.intervals import mean_squares
from cl_seg.spec.update import MIN_PATIENTS, MIN_SEEDS

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How a mean change varies: all that its bounds depend on.

    Attributes:
        mean: mean change.
        patients, seeds: numbers of them, P and S.
        patient: variance of the mean from patients, max(0, MS_patient − MS_residual) / (P·S).
        seed: variance of the mean from seeds, with the residuals, MS_seed / (P·S).
        residual: the part of ``seed`` that more patients reduce, min(MS_seed, MS_residual) / (P·S).
        skewness: of the changes of patients, each the mean over seeds.
    """

    mean: float
    patients: int
    seeds: int
    patient: float
    seed: float
    residual: float
    skewness: float

    @property
    def standard_error(self) -> float:
        """Of the mean change."""
        return math.sqrt(self.patient + self.seed)

    def lower_bound(self, alpha: float) -> float:
        """The mean is above this bound, with an error rate of ``alpha``.

        The half width is √(V_p h² + V_s t²[S−1]), with the variances of the mean from patients and
        from seeds (Banerjee 1960, Sankhyā 22:357): its error is at most α whatever the ratio of the
        two. Satterthwaite's looks at the ratio of their estimates, and errs more often where seeds
        are few. h is t[P−1] corrected for a skewness γ of the patients to losses (Hall 1992, J R
        Stat Soc B 54:221): h + g h²/3 + g² h³/27 + g/6 = t[P−1] with g = γ/√P. A skewness to gains
        does not bring the bound closer.
        """
        of_patient, of_seed = (
            float(stdtrit(n - 1, 1 - alpha)) for n in (self.patients, self.seeds)
        )
        of_patient = _inverse_of_hall(
            of_patient, min(0.0, self.skewness) / math.sqrt(self.patients)
        )
        squares = of_patient**2 * self.patient + of_seed**2 * self.seed
        return self.mean - math.sqrt(squares)

    def upper_bound(self, alpha: float) -> float:
        """The mean is below this bound, with an error rate of ``alpha``."""
        return -self.reversed().lower_bound(alpha)

    def reversed(self) -> "Spread":
        """That of the change with the other sign."""
        return replace(self, mean=-self.mean, skewness=-self.skewness)

    def projected(self, patients: int, seeds: int) -> "Spread":
        """With other numbers of patients and seeds, if they vary as these do."""
        more_patients, more_seeds = patients / self.patients, seeds / self.seeds
        residual = self.residual / (more_patients * more_seeds)
        return replace(
            self,
            patients=patients,
            seeds=seeds,
            patient=self.patient / more_patients,
            seed=(self.seed - self.residual) / more_seeds + residual,
            residual=residual,
        )


def spread_of(values: Values) -> Spread | None:
    """The spread of changes (P, S); None with fewer than three patients or two seeds."""
    patients, seeds = values.shape
    if patients < MIN_PATIENTS or seeds < MIN_SEEDS:
        return None
    ms_patient, ms_seed, ms_residual = map(float, mean_squares(values))
    size = patients * seeds
    return Spread(
        mean=float(values.mean()),
        patients=patients,
        seeds=seeds,
        patient=max(0.0, ms_patient - ms_residual) / size,
        seed=ms_seed / size,
        residual=min(ms_seed, ms_residual) / size,
        skewness=_skewness(values.mean(axis=1)),
    )


def _skewness(values: Values) -> float:
    """P² m₃ / ((P − 1)(P − 2) s³), with m₃ the third central moment; 0 where all are equal."""
    count, deviations = len(values), values - values.mean()
    sd = math.sqrt((deviations**2).sum() / (count - 1))
    if sd <= 1e-9 * float(np.abs(values).max()):
        return 0.0  # they differ by rounding
    third = float(((deviations / sd) ** 3).sum())
    return count * third / ((count - 1) * (count - 2))


def _inverse_of_hall(quantile: float, skewness: float) -> float:
    """The value whose transformation is the quantile; the quantile itself without skewness."""
    if abs(skewness) < 1e-6:
        return quantile
    return 3 / skewness * (math.cbrt(1 + skewness * (quantile - skewness / 6)) - 1)
