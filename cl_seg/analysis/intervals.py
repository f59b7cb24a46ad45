"""Intervals of scores and of their differences, for other patients and other seeds or replicates.

Every test patient is scored by every seed: two crossed random factors, as cases and readers are in
multireader studies, whose analysis is used here (jackknife pseudo-values of patients and Hillis's
degrees of freedom; Hillis, Berbaum & Metz 2008, Academic Radiology 15:647). Orders of scanners are
averaged over: an interval is about these orders.

A replicate takes the place of a seed. It has a stream of scanners and training bodies of its own,
drawn with the seed, so that all three are one random factor and an interval is for other ones.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from cl_seg.metrics.continual import Score
from cl_seg.records.results import RunResult

Values = npt.NDArray[np.float64]
Groups = npt.NDArray[np.intp]
LEVEL = 0.95
DRAWS_AT_ONCE = 250


def ci_half_width(values: Values, level: float = LEVEL, groups: Groups | None = None) -> float:
    """Half the width of the confidence interval of the mean of crossed random factors.

    With mean squares of P patients, of S seeds, and of the residuals, the variance of the mean is
    V / (P·S) with V = MS_seed + M and M = max(0, MS_patient − MS_residual). The degrees of freedom
    of t are V² / (MS_seed² / (S − 1) + M² / f): those of Hillis, Berbaum & Metz 2008, who have
    many cases, with Satterthwaite's term for few patients. f is P − 1 where all patients are of one
    group. Else it is Welch's (1947, Biometrika 34:28), 1 / Σ_g s_g² / (n_g − 1) over groups of n_g
    patients that have the share s_g of the sum of squares: two patients who alone have a structure
    tell little of how it varies, however many others there are.

    Args:
        values: (P, S), a row per patient and a column per seed.
        level: coverage.
        groups: (P,) number of every patient's group, see :func:`patient_groups`; one unless given.

    Returns:
        NaN with fewer than two patients or seeds, or where a value is NaN.
    """
    if min(values.shape) < 2 or not np.isfinite(values).all():
        return math.nan
    return float(_half_widths(values, level, _members(len(values), groups)))


def projected_half_width(
    values: Values,
    patients: npt.NDArray[np.int64] | int,
    seeds: npt.NDArray[np.int64] | int,
    level: float = LEVEL,
    groups: Groups | None = None,
) -> Values:
    """:func:`ci_half_width` with other numbers of patients and seeds, if they vary as these do.

    More patients of every group raise its degrees of freedom in proportion.
    """
    have, seen = values.shape
    ms_patient, ms_seed, ms_residual = mean_squares(values)
    seed_term = np.maximum(0.0, ms_seed - ms_residual) * patients / have
    seed_term += np.minimum(ms_seed, ms_residual)
    patient_term = np.maximum(0.0, ms_patient - ms_residual) * seeds / seen
    patients, seeds = np.asarray(patients), np.asarray(seeds)
    inverse = _inverse_freedom(values, _members(have, groups)) * (have - 1) / (patients - 1)
    return _from_terms(patient_term, seed_term, inverse, (patients, seeds), level)


def simulated_coverage(
    values: Values,
    trials: int = 2000,
    level: float = LEVEL,
    seeds: int | None = None,
    groups: Groups | None = None,
) -> float:
    """Share of simulated intervals that cover the truth, with the variances of these values.

    Normal values are drawn with the variances of patients (of each group), seeds and residuals
    estimated from these; the answer is the same for the same values.

    Args:
        values: (P, S).
        trials: draws.
        level: coverage that the interval claims.
        seeds: number of seeds of the drawn values; that of ``values`` by default.
        groups: as for :func:`ci_half_width`.

    Returns:
        A share; NaN where there is no interval.
    """
    if min(values.shape) < 2 or not np.isfinite(values).all():
        return math.nan
    patients, seeds = values.shape[0], seeds or values.shape[1]
    members = _members(patients, groups)
    ms_patient, ms_seed, ms_residual = map(float, mean_squares(values))
    variance = max(0.0, ms_patient - ms_residual) / values.shape[1]
    of_group = patients * _shares(values, members) / members.sum(axis=1)
    patient_sd = np.sqrt(variance * of_group @ members)[:, None]
    seed_sd = math.sqrt(max(0.0, ms_seed - ms_residual) / patients)
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(0, trials, DRAWS_AT_ONCE):
        drawn = (
            patient_sd * random.normal(size=(DRAWS_AT_ONCE, patients, 1))
            + seed_sd * random.normal(size=(DRAWS_AT_ONCE, 1, seeds))
            + math.sqrt(ms_residual) * random.normal(size=(DRAWS_AT_ONCE, patients, seeds))
        )
        hits += int((np.abs(drawn.mean(axis=(1, 2))) <= _half_widths(drawn, level, members)).sum())
    return hits / (DRAWS_AT_ONCE * math.ceil(trials / DRAWS_AT_ONCE))


def _half_widths(values: Values, level: float, members: Values) -> Values:
    """Half widths of intervals of (…, P, S) values, one per leading index."""
    patients, seeds = map(np.asarray, values.shape[-2:])
    ms_patient, ms_seed, ms_residual = mean_squares(values)
    patient_term = np.maximum(0.0, ms_patient - ms_residual)
    inverse = _inverse_freedom(values, members)
    return _from_terms(patient_term, ms_seed, inverse, (patients, seeds), level)


def _from_terms(
    patient_term: Values,
    seed_term: Values,
    inverse_freedom: Values,
    sizes: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    level: float,
) -> Values:
    """Half widths from M, MS_seed, 1 / f and the numbers of patients and seeds."""
    patients, seeds = sizes
    total = seed_term + patient_term
    with np.errstate(invalid="ignore"):
        freedom = total**2 / (seed_term**2 / (seeds - 1) + patient_term**2 * inverse_freedom)
    quantile = t.ppf((1 + level) / 2, np.where(total > 0, freedom, 1.0))
    widths: Values = quantile * np.sqrt(total / (patients * seeds))
    return widths


def _members(patients: int, groups: Groups | None) -> Values:
    """(groups, P): 1 where a patient is of a group."""
    numbers = np.zeros(patients, int) if groups is None else groups
    members: Values = (np.unique(numbers)[:, None] == numbers).astype(float)
    return members


def _shares(values: Values, members: Values) -> Values:
    """(…, groups) shares of the sum of squares of the patients of (…, P, S) values."""
    deviations = values.mean(axis=-1) - values.mean(axis=(-2, -1))[..., None]
    of_group = deviations**2 @ members.T
    total = of_group.sum(axis=-1, keepdims=True)
    shares: Values = np.divide(of_group, total, out=np.zeros_like(of_group), where=total > 0)
    return shares


def _inverse_freedom(values: Values, members: Values) -> Values:
    """1 / f; a patient alone in a group is compared with the others, with one degree of freedom."""
    freedom = np.maximum(members.sum(axis=1) - 1, 1)
    inverse: Values = (_shares(values, members) ** 2 / freedom).sum(axis=-1)
    return inverse


def mean_squares(values: Values) -> tuple[Values, Values, Values]:
    """Mean squares of patients, of seeds and of residuals, of (…, P, S) values; P, S at least 2."""
    patients, seeds = values.shape[-2:]
    mean = values.mean(axis=(-2, -1), keepdims=True)
    of_patient = values.mean(axis=-1, keepdims=True) - mean
    of_seed = values.mean(axis=-2, keepdims=True) - mean
    residuals = values - mean - of_patient - of_seed
    return (
        seeds * (of_patient**2).sum(axis=(-2, -1)) / (patients - 1),
        patients * (of_seed**2).sum(axis=(-2, -1)) / (seeds - 1),
        (residuals**2).sum(axis=(-2, -1)) / ((patients - 1) * (seeds - 1)),
    )


def patient_groups(runs: Sequence[RunResult]) -> Groups:
    """(P,) number of every test patient's group, patients in alphabetical order.

    Patients are of one group who were tested on the same scanners with the same structures.

    Args:
        runs: on the same test patients.
    """
    distinct = {(run.positions_of or tuple(run.order), tuple(run.classes)): run for run in runs}
    seen = np.concatenate([run.scored_mask for run in distinct.values()], axis=1)
    groups: Groups = np.unique(seen, axis=0, return_inverse=True)[1].ravel()
    return groups


def interval_half_width(runs: Sequence[RunResult], score: Score) -> float:
    """Half the width of the interval of the mean score of some runs; NaN where there is none."""
    values = jackknife_pseudo_values(runs, score)
    return ci_half_width(values, groups=patient_groups(runs)) if min(values.shape) > 1 else math.nan


def difference_with_half_width(
    runs: Sequence[RunResult], reference: Sequence[RunResult], score: Score
) -> tuple[float, float]:
    """Mean difference of a score from that of reference runs, and half the width of its interval.

    Runs of the same order and seed are compared with each other, on the same patients; NaN where
    there are none.
    """
    paired, paired_reference = paired_runs(runs, reference)
    if not paired:
        return math.nan, math.nan
    change = float(
        np.mean([run.score(score) for run in paired])
        - np.mean([run.score(score) for run in paired_reference])
    )
    if len({run.patients for run in (*paired, *paired_reference)}) > 1:
        return change, math.nan
    values = jackknife_pseudo_values(paired, score) - jackknife_pseudo_values(
        paired_reference, score
    )
    if min(values.shape) < 2:
        return change, math.nan
    return change, ci_half_width(values, groups=patient_groups([*paired, *paired_reference]))


def paired_runs(
    runs: Sequence[RunResult], others: Sequence[RunResult]
) -> tuple[list[RunResult], list[RunResult]]:
    """The runs of each side whose order and seed the other side has too."""
    both = _pairs(runs) & _pairs(others)
    first, second = ([run for run in side if run.order_and_seed in both] for side in (runs, others))
    return first, second


def jackknife_pseudo_values(runs: Sequence[RunResult], score: Score) -> Values:
    """Jackknife pseudo-values of a score, (patients, seeds), averaged over orders.

    Of P patients, that of patient p is P·θ − (P − 1)·θ without p; their mean is θ where θ is a
    mean over patients. Patients are in alphabetical, seeds in rising order, so that values of other
    runs with the same patients, orders and seeds can be taken from them. Empty unless all seeds
    have the same orders, or are replicates with one of their own, and all runs the same patients.
    NaN of a score of other cells of R than R[j, j] and R[N, j].
    """
    by_seed: dict[int, dict[tuple[str, ...], RunResult]] = {}
    for run in runs:
        order, seed = run.order_and_seed
        by_seed.setdefault(seed, {})[order] = run
    if sum(map(len, by_seed.values())) < len(runs):
        raise ValueError("runs of the same order and seed that differ in something else")
    same_orders = len({frozenset(own) for own in by_seed.values()}) == 1
    complete = same_orders or all(run.replicate for run in runs)
    if not complete or len({run.patients for run in runs}) > 1:
        return np.empty((0, 0))
    columns = [
        np.mean([_pseudo_values(own[order], score) for order in sorted(own)], axis=0)
        for _, own in sorted(by_seed.items())
    ]
    return np.stack(columns, axis=1)


def random_factor(runs: Sequence[RunResult]) -> str:
    """What the columns of pseudo-values are: ``replicates`` or ``seeds``."""
    return "replicates" if runs[0].replicate else "seeds"


def same_design(runs: Sequence[RunResult], others: Sequence[RunResult]) -> bool:
    """True where runs have the same orders, seeds and patients, so that they are paired."""
    patients = {run.patients for run in (*runs, *others)}
    return _pairs(runs) == _pairs(others) and len(patients) == 1


def _pseudo_values(run: RunResult, score: Score) -> Values:
    if score not in run.pseudo_value_cache:
        count = len(run.patients)
        without = run.scores_without_each_patient(score)
        run.pseudo_value_cache[score] = count * run.score(score) - (count - 1) * without
    return run.pseudo_value_cache[score]


def _pairs(runs: Sequence[RunResult]) -> set[tuple[tuple[str, ...], int]]:
    return {run.order_and_seed for run in runs}
