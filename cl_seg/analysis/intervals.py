"""Intervals of scores and of their differences, for other patients and other seeds.

Every test patient is scored by every seed: two crossed random factors, as cases and readers are in
multireader studies, whose analysis is used here (jackknife pseudo-values of patients and Hillis's
degrees of freedom; Hillis, Berbaum & Metz 2008, Academic Radiology 15:647). Orders of scanners are
averaged over: an interval is about these orders.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from cl_seg.records.results import Matrix, RunResult

Values = npt.NDArray[np.float64]
Score = Callable[[Matrix], float]
Groups = npt.NDArray[np.intp]
Key = tuple[tuple[str, ...], int]
LEVEL = 0.95
CHUNK = 250


def crossed_margin(values: Values, level: float = LEVEL, alike: Groups | None = None) -> float:
    """Half the width of the interval of the mean of crossed random factors.

    With mean squares of P patients, of S seeds, and of what is left, the variance of the mean is
    V / (P·S) with V = MS_seed + M and M = max(0, MS_patient − MS_rest). The degrees of freedom of t
    are V² / (MS_seed² / (S − 1) + M² / f): those of Hillis, Berbaum & Metz 2008, who have
    many cases, with Satterthwaite's term for few patients. f is P − 1 where all patients are alike.
    Else it is Welch's (1947, Biometrika 34:28), 1 / Σ_g s_g² / (n_g − 1) over groups of n_g
    patients that have the share s_g of the sum of squares: two patients who alone have a structure
    tell little of how it varies, however many others there are.

    Args:
        values: (P, S), a row per patient and a column per seed.
        level: coverage.
        alike: (P,) number of every patient's group, see :func:`alike_patients`; one unless given.

    Returns:
        NaN with fewer than two patients or seeds, or where a value is NaN.
    """
    if min(values.shape) < 2 or not np.isfinite(values).all():
        return math.nan
    return float(_margins(values, level, _indicators(len(values), alike)))


def projected_margin(
    values: Values,
    patients: npt.NDArray[np.int64] | int,
    seeds: npt.NDArray[np.int64] | int,
    level: float = LEVEL,
    alike: Groups | None = None,
) -> Values:
    """:func:`crossed_margin` with other numbers of patients and seeds, if they vary as these do.

    More patients of every group make its estimate as much surer as they are more.
    """
    have, seen = values.shape
    of_patients, of_seeds, rest = _mean_squares(values)
    between = np.maximum(0.0, of_seeds - rest) * patients / have + np.minimum(of_seeds, rest)
    among = np.maximum(0.0, of_patients - rest) * seeds / seen
    unsure = _unsureness(values, _indicators(have, alike)) * (have - 1) / (np.asarray(patients) - 1)
    return _half_widths(among, between, unsure, np.asarray(patients), np.asarray(seeds), level)


def simulated_coverage(
    values: Values,
    trials: int = 2000,
    level: float = LEVEL,
    seeds: int | None = None,
    alike: Groups | None = None,
) -> float:
    """How often the interval covers the truth where patients and seeds vary as in these values.

    Normal values are drawn with the variances of patients (of each group), seeds and the rest
    estimated from these; the answer is the same for the same values.

    Args:
        values: (P, S).
        trials: draws.
        level: what the interval says it covers.
        seeds: of the drawn values; as many as there are unless said.
        alike: as for :func:`crossed_margin`.

    Returns:
        A share; NaN where there is no interval.
    """
    if min(values.shape) < 2 or not np.isfinite(values).all():
        return math.nan
    patients, seeds = values.shape[0], seeds or values.shape[1]
    groups = _indicators(patients, alike)
    ms_patient, ms_seed, ms_rest = (float(one) for one in _mean_squares(values))
    variance = max(0.0, ms_patient - ms_rest) / values.shape[1]
    each = patients * _shares(values, groups) / groups.sum(axis=1)
    of_patient = np.sqrt(variance * each @ groups)[:, None]
    of_seed = math.sqrt(max(0.0, ms_seed - ms_rest) / patients)
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(0, trials, CHUNK):
        drawn = (
            of_patient * random.normal(size=(CHUNK, patients, 1))
            + of_seed * random.normal(size=(CHUNK, 1, seeds))
            + math.sqrt(ms_rest) * random.normal(size=(CHUNK, patients, seeds))
        )
        hits += int((np.abs(drawn.mean(axis=(1, 2))) <= _margins(drawn, level, groups)).sum())
    return hits / (CHUNK * math.ceil(trials / CHUNK))


def _margins(values: Values, level: float, groups: Values) -> Values:
    """Of (…, P, S) values, one interval per leading index."""
    patients, seeds = map(np.asarray, values.shape[-2:])
    of_patients, of_seeds, rest = _mean_squares(values)
    among = np.maximum(0.0, of_patients - rest)
    return _half_widths(among, of_seeds, _unsureness(values, groups), patients, seeds, level)


def _half_widths(
    among: Values,
    of_seeds: Values,
    unsure: Values,
    patients: npt.NDArray[Any],
    seeds: npt.NDArray[Any],
    level: float,
) -> Values:
    """From M, MS_seed, 1 / f and the numbers of patients and seeds."""
    spread = of_seeds + among
    with np.errstate(invalid="ignore"):
        freedom = spread**2 / (of_seeds**2 / (seeds - 1) + among**2 * unsure)
    quantile = t.ppf((1 + level) / 2, np.where(spread > 0, freedom, 1.0))
    widths: Values = quantile * np.sqrt(spread / (patients * seeds))
    return widths


def _indicators(patients: int, alike: Groups | None) -> Values:
    """(groups, P): 1 where a patient is of a group."""
    numbers = np.zeros(patients, int) if alike is None else alike
    indicators: Values = (np.unique(numbers)[:, None] == numbers).astype(float)
    return indicators


def _shares(values: Values, groups: Values) -> Values:
    """(…, groups) shares of the sum of squares of the patients of (…, P, S) values."""
    deviations = values.mean(axis=-1) - values.mean(axis=(-2, -1))[..., None]
    of_group = deviations**2 @ groups.T
    total = of_group.sum(axis=-1, keepdims=True)
    shares: Values = np.divide(of_group, total, out=np.zeros_like(of_group), where=total > 0)
    return shares


def _unsureness(values: Values, groups: Values) -> Values:
    """1 / f; a patient alone in a group is compared with the others, which leaves one freedom."""
    freedom = np.maximum(groups.sum(axis=1) - 1, 1)
    unsure: Values = (_shares(values, groups) ** 2 / freedom).sum(axis=-1)
    return unsure


def _mean_squares(values: Values) -> tuple[Values, Values, Values]:
    """Of patients, of seeds and of what is left, of (…, P, S) values."""
    patients, seeds = values.shape[-2:]
    mean = values.mean(axis=(-2, -1), keepdims=True)
    of_patient = values.mean(axis=-1, keepdims=True) - mean
    of_seed = values.mean(axis=-2, keepdims=True) - mean
    rest = values - mean - of_patient - of_seed
    return (
        seeds * (of_patient**2).sum(axis=(-2, -1)) / (patients - 1),
        patients * (of_seed**2).sum(axis=(-2, -1)) / (seeds - 1),
        (rest**2).sum(axis=(-2, -1)) / ((patients - 1) * (seeds - 1)),
    )


def alike_patients(runs: Sequence[RunResult]) -> Groups:
    """A number per test patient, alphabetical; the same for those seen on the same scanners.

    And with the same structures. Of runs on the same test patients.
    """
    distinct = {(tuple(run.order), tuple(run.classes)): run for run in runs}
    seen = np.concatenate([run.seen for run in distinct.values()], axis=1)
    groups: Groups = np.unique(seen, axis=0, return_inverse=True)[1].ravel()
    return groups


def score_margin(runs: Sequence[RunResult], score: Score) -> float:
    """Half the width of the interval of the mean score of some runs; NaN where there is none."""
    values = _patient_values(runs, score, _keys(runs))
    return crossed_margin(values, alike=alike_patients(runs)) if min(values.shape) > 1 else math.nan


def difference(
    runs: Sequence[RunResult], reference: Sequence[RunResult], score: Score
) -> tuple[float, float]:
    """Mean difference of a score to that of reference runs, and half the width of its interval.

    Runs of the same order and seed are compared with each other, on the same patients; NaN where
    there are none.
    """
    ours, theirs = paired_runs(runs, reference)
    if not ours:
        return math.nan, math.nan
    change = float(
        np.mean([score(run.matrix()) for run in ours])
        - np.mean([score(run.matrix()) for run in theirs])
    )
    if len({run.patients for run in (*ours, *theirs)}) > 1:
        return change, math.nan
    values = paired_values(ours, score) - paired_values(theirs, score)
    if min(values.shape) < 2:
        return change, math.nan
    return change, crossed_margin(values, alike=alike_patients([*ours, *theirs]))


def paired_runs(
    runs: Sequence[RunResult], others: Sequence[RunResult]
) -> tuple[list[RunResult], list[RunResult]]:
    """Those of each side that the other has with the same order and seed."""
    both = _keys(runs) & _keys(others)
    ours, theirs = ([run for run in side if _key(run) in both] for side in (runs, others))
    return ours, theirs


def paired_values(runs: Sequence[RunResult], score: Score) -> Values:
    """Pseudo-values of a score, (patients, seeds) in alphabetical and rising order.

    Values of other runs on the same patients, orders and seeds can be taken from them; empty where
    not all seeds have the same orders and patients.
    """
    return _patient_values(runs, score, _keys(runs))


def same_design(runs: Sequence[RunResult], others: Sequence[RunResult]) -> bool:
    """True where runs have the same orders, seeds and patients, so that they are paired."""
    patients = {run.patients for run in (*runs, *others)}
    return _keys(runs) == _keys(others) and len(patients) == 1


def _patient_values(runs: Sequence[RunResult], score: Score, keys: set[Key]) -> Values:
    """Jackknife pseudo-values of a score, (patients, seeds), averaged over orders.

    Of P patients, that of patient p is P·θ − (P − 1)·θ without p; their mean is θ where θ is a
    mean over patients. Empty unless all seeds have the same orders and all runs the same patients.
    """
    chosen = {_key(run): run for run in runs if _key(run) in keys}
    if len(chosen) < sum(_key(run) in keys for run in runs):
        raise ValueError("runs of the same order and seed that differ in something else")
    orders = {order for order, _ in chosen}
    seeds = {seed for _, seed in chosen}
    same = {run.patients for run in chosen.values()}
    if len(chosen) < len(seeds) * len(orders) or len(same) > 1:
        return np.empty((0, 0))
    columns = [
        np.mean([_pseudo_values(chosen[order, seed], score) for order in sorted(orders)], axis=0)
        for seed in sorted(seeds)
    ]
    return np.stack(columns, axis=1)


def _pseudo_values(run: RunResult, score: Score) -> Values:
    if score not in run.pseudo_values:
        count = len(run.patients)
        without = np.array([score(r) for r in run.matrices_without])
        run.pseudo_values[score] = count * score(run.matrix()) - (count - 1) * without
    return run.pseudo_values[score]


def _key(run: RunResult) -> Key:
    return tuple(run.order), run.seed


def _keys(runs: Sequence[RunResult]) -> set[Key]:
    return {_key(run) for run in runs}
