"""Agreement of a measurement with a reference, patient by patient."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BlandAltman:
    """Bias and limits of agreement, in the unit of the measurement.

    Attributes:
        bias: mean difference, measured minus reference.
        lower: bias − 1.96 standard deviations of the differences.
        upper: bias + 1.96 standard deviations.
    """

    bias: float
    lower: float
    upper: float


def bland_altman(measured: Values, reference: Values) -> BlandAltman:
    """95 % limits of agreement (Bland & Altman 1986); NaN limits for fewer than two pairs.

    Args:
        measured: (n,).
        reference: (n,), of the same patients.
    """
    differences = np.asarray(measured, float) - np.asarray(reference, float)
    if not len(differences):
        return BlandAltman(math.nan, math.nan, math.nan)
    bias = float(differences.mean())
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else math.nan
    return BlandAltman(bias, bias - 1.96 * spread, bias + 1.96 * spread)


def intraclass_correlation(ratings: Values) -> float:
    """ICC(2,1): absolute agreement of single measurements, two-way random effects.

    ``(MS_rows − MS_rest) / (MS_rows + (k − 1) MS_rest + k (MS_columns − MS_rest) / n)``
    (Shrout & Fleiss 1979; ICC(A,1) of McGraw & Wong 1996).

    Args:
        ratings: (n, k), a row per patient, a column per way of measuring.

    Returns:
        NaN for fewer than two patients or columns, or where nothing varies.
    """
    n, k = ratings.shape
    if min(n, k) < 2:
        return math.nan
    mean = ratings.mean()
    rows, columns = ratings.mean(axis=1, keepdims=True), ratings.mean(axis=0, keepdims=True)
    ms_rows = k * float(((rows - mean) ** 2).sum()) / (n - 1)
    ms_columns = n * float(((columns - mean) ** 2).sum()) / (k - 1)
    ms_rest = float(((ratings - rows - columns + mean) ** 2).sum()) / ((n - 1) * (k - 1))
    total = ms_rows + (k - 1) * ms_rest + k * (ms_columns - ms_rest) / n
    return (ms_rows - ms_rest) / total if total else math.nan
