"""One-sided confidence bounds of a mean change, for other patients and other seeds.

A change is (P, S): every test patient, with every seed; both are random and crossed, as in
:mod:`cl_seg.analysis.intervals`. A bound here errs on the side of caution, because a wrong "not
worse" lets a model out that harms: it is never closer to the mean than Student's t would have it.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from cl_seg.analysis.intervals import mean_squares

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
        third: third cumulant of the mean from patients, κ₃ / P² with κ₃ that of their changes.
    """

    mean: float
    patients: int
    seeds: int
    patient: float
    seed: float
    residual: float
    third: float

    @property
    def standard_error(self) -> float:
        """Of the mean change."""
        return float(np.sqrt(self.patient + self.seed))

    def lower_bound(self, alpha: float) -> float:
        """The mean is above this bound, with an error rate of ``alpha``.

        With variances V_p from patients and V_s from seeds, Banerjee (1960, Sankhyā 22:357) gives
        the half width √(V_p t²[P−1] + V_s t²[S−1]), whose error is at most α whatever the ratio of
        the two; Satterthwaite's, which looks at the ratio of the estimates, errs more often where
        seeds are few. Where patients are skewed to losses, the t statistic is transformed by Hall
        (1992, J R Stat Soc B 54:221): T + g T²/3 + g² T³/27 + g/6, g the skewness of the mean; a
        skewness to gains does not bring the bound closer.
        """
        error = self.standard_error
        if error**3 == 0:  # no two patients and seeds differ by more than rounding
            return self.mean
        of_patient, of_seed = (stdtrit(n - 1, 1 - alpha) for n in (self.patients, self.seeds))
        quantile = (
            np.hypot(of_patient * np.sqrt(self.patient), of_seed * np.sqrt(self.seed)) / error
        )
        skewness = min(0.0, self.third / error**3)
        return float(self.mean - error * _inverse_of_hall(quantile, skewness))

    def upper_bound(self, alpha: float) -> float:
        """The mean is below this bound, with an error rate of ``alpha``."""
        return -self.reversed().lower_bound(alpha)

    def reversed(self) -> "Spread":
        """That of the change with the other sign."""
        return replace(self, mean=-self.mean, third=-self.third)

    def projected(self, patients: int, seeds: int) -> "Spread":
        """With other numbers of patients and seeds, if they vary as these do."""
        more_patients, more_seeds = patients / self.patients, seeds / self.seeds
        residual = self.residual / (more_patients * more_seeds)
        return Spread(
            self.mean,
            patients,
            seeds,
            patient=self.patient / more_patients,
            seed=(self.seed - self.residual) / more_seeds + residual,
            residual=residual,
            third=self.third / more_patients**2,
        )


def spread_of(values: Values) -> Spread | None:
    """The spread of changes (P, S); None with fewer than three patients or two seeds.

    The third cumulant is estimated without bias, P² m₃ / ((P − 1)(P − 2)) with m₃ the third central
    moment.
    """
    patients, seeds = values.shape
    if patients < 3 or seeds < 2:
        return None
    ms_patient, ms_seed, ms_residual = map(float, mean_squares(values))
    size = patients * seeds
    of_patient = values.mean(axis=1)
    third = patients**2 * float(((of_patient - of_patient.mean()) ** 3).mean())
    return Spread(
        mean=float(values.mean()),
        patients=patients,
        seeds=seeds,
        patient=max(0.0, ms_patient - ms_residual) / size,
        seed=ms_seed / size,
        residual=min(ms_seed, ms_residual) / size,
        third=third / ((patients - 1) * (patients - 2) * patients**2),
    )


def _inverse_of_hall(quantile: float, skewness: float) -> float:
    """The T whose transformed value is the quantile; the quantile itself without skewness."""
    if abs(skewness) < 1e-6:
        return quantile
    cubed = 1 + skewness * (quantile - skewness / 6)
    return float(3 / skewness * (np.cbrt(cubed) - 1))
