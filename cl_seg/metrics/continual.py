"""Continual-learning scores as pure functions of the accuracy matrix R.

R is (N+1, S): ``R[i, j]`` is the test score on the j-th scanner of the stream after its experience
i, row 0 being the untrained model. A stream of N experiences has S scanners, in the order of their
first visits f_j: ``learned``, (S,), is 1, 2, …, N and S is N unless it returns to one. Formulas
write R[j, j] for R[f_j, j], right after the first visit, and j < N for f_j < N. Several definitions
of forward transfer and of forgetting circulate; these are the ones used here, without alternatives.
R is NaN where a scanner was not tested; a score that needs such a value is NaN.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Score = Callable[[Matrix, Positions], float]
"""A score of R and of the positions, from 1, of the first visit to each of its scanners."""


def acc(r: npt.ArrayLike, learned: npt.ArrayLike | None = None) -> float:
    """ACC = mean_j R[N, j] (Lopez-Paz & Ranzato 2017, eq. 2), whatever the first visits.

    >>> acc([[0.0, 0.0], [0.8, 0.2], [0.6, 0.8]])
    0.7
    """
    return float(np.mean(np.asarray(r, float)[-1]))


def bwt(r: npt.ArrayLike, learned: npt.ArrayLike | None = None) -> float:
    """BWT = mean_{j<N} (R[N, j] − R[j, j]) (Lopez-Paz & Ranzato 2017, eq. 3); NaN if N = 1.

    >>> bwt([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])
    -0.25
    """
    r, first = _streamed(r, learned)
    earlier = first < len(r) - 1
    change = (r[-1] - _after_learning(r, first))[earlier]
    return float(np.mean(change)) if len(change) else math.nan


def fwt(r: npt.ArrayLike, learned: npt.ArrayLike | None = None) -> float:
    """FWT = mean_{j≥2} (R[j−1, j] − R[0, j]) (Lopez-Paz & Ranzato 2017, eq. 4); NaN if N = 1.

    >>> fwt([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])
    0.25
    """
    r, first = _streamed(r, learned)
    j = np.arange(1, r.shape[1])
    return float(np.mean(r[first[1:] - 1, j] - r[0, j])) if len(j) else math.nan


def extended_fwt(r: npt.ArrayLike, learned: npt.ArrayLike | None = None) -> float:
    """E-FWT = mean over 1 ≤ t < i ≤ N of R[t, i] − R[0, i]; NaN if N = 1.

    FWT looks at a scanner just before it is learned; this looks at it after every earlier
    experience, all pairs (t, i) weighing the same. A part of what Díaz-Rodríguez et al. 2018 (arXiv
    1810.13166) average, the cells above the diagonal of R, relative to the untrained
    network. The same as FWT if N = 2. With returns t < i is t < f_i.

    >>> extended_fwt([[0.0, 0.25], [0.75, 0.5], [0.5, 0.75]])
    0.25
    """
    r, first = _streamed(r, learned)
    t, i = np.nonzero(np.arange(1, len(r))[:, None] < first)
    return float(np.mean(r[t + 1, i] - r[0, i])) if len(t) else math.nan


def rma(r: npt.ArrayLike, alone: npt.ArrayLike, learned: npt.ArrayLike | None = None) -> float:
    """RMA = mean_{i≥2} R[i, i] / S_i: what is learned in its turn, relative to learning it alone.

    The convention is the ratio, not the difference: 1 where earlier scanners neither help nor
    hinder, above 1 where they help. NaN if N = 1 or some S_i is 0.

    Args:
        r: (N+1, S).
        alone: (S,) S_i, score on scanner i of a network trained from scratch on scanner i.
        learned: (S,) first visits; 1, 2, …, N by default.

    >>> rma([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]], [0.75, 1.0])
    0.75
    """
    once, alone = _after_learning(*_streamed(r, learned))[1:], np.asarray(alone, float)[1:]
    return float(np.mean(once / alone)) if len(once) and alone.all() else math.nan


def worst_scanner(*matrices: npt.ArrayLike) -> float:
    """min_j R[N, j] over the scanners of R, and of further matrices of other scanners.

    A minimum over scanners is biased downwards by noise, as :func:`forgetting` is upwards:
    descriptive only. Worst-group accuracy of Sagawa et al. 2020 (arXiv 1911.08731) with
    scanners as groups.

    Args:
        *matrices: (N+1, …) each, the last row after the last experience.

    >>> worst_scanner([[0.0, 0.0], [0.8, 0.2], [0.6, 0.8]], [[0.1], [0.2], [0.3]])
    0.3
    """
    return float(min(np.min(np.asarray(r, float)[-1]) for r in matrices))


def unseen_dice(unseen: npt.ArrayLike) -> tuple[float, float]:
    """Mean Dice on scanners no experience trains on, after the first and after the last one.

    The out-of-domain accuracy of domain generalisation (Gulrajani & Lopez-Paz 2021, arXiv
    2007.01434), at the beginning and at the end of a stream.

    Args:
        unseen: (N+1, H), Dice on H scanners after every experience, row 0 untrained.

    >>> unseen_dice([[0.0, 0.0], [0.5, 0.75], [0.75, 1.0]])
    (0.625, 0.875)
    """
    mean = np.mean(np.asarray(unseen, float), axis=1)
    return float(mean[1]), float(mean[-1])


def forgetting(r: npt.ArrayLike, learned: npt.ArrayLike | None = None) -> float:
    """Mean over j<N of max_{1≤l<N} R[l, j] − R[N, j] (Chaudhry et al. 2018, eq. 3); NaN if N = 1.

    The maximum is biased upwards by noise: descriptive only, claims use BWT. Stages before that of
    the scanner count if it was tested then; all from l = j on are needed.

    >>> forgetting([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])
    0.25
    """
    r, first = _streamed(r, learned)
    earlier, n = first < len(r) - 1, len(r) - 1
    if not earlier.any():
        return math.nan
    before_end = r[1:n, earlier]
    needed = np.isfinite(before_end) | (np.arange(1, n)[:, None] >= first[earlier])
    best = np.where(needed, before_end, -np.inf).max(axis=0)
    return float(np.mean(best - r[-1, earlier]))


def relative_forgetting(r: npt.ArrayLike, learned: npt.ArrayLike | None = None) -> float:
    """Σ_{j<N} (R[j, j] − R[N, j]) / Σ_{j<N} R[j, j], the share of what was learned that is lost.

    That is −BWT over the plasticity of all scanners but the last, so that a network that learns
    less is not praised for having less to forget. NaN if N = 1 or nothing was learned.
    """
    r, first = _streamed(r, learned)
    earlier = first < len(r) - 1
    once = _after_learning(r, first)[earlier]
    total = float(once.sum())
    return float((once - r[-1, earlier]).sum()) / total if total else math.nan


def stability_gap(before: npt.NDArray[np.float64], during: npt.NDArray[np.float64]) -> float:
    """Mean over earlier scanners of the deepest fall while the next scanner is learned.

    ``before_j − min_t during[t, j]``, with the minimum over evaluations every few steps as in the
    worst-case measures of De Lange et al. 2023 (arXiv 2205.13452). Negative where no
    evaluation is below what it was before; NaN without evaluations.

    Args:
        before: (n,) score on each earlier scanner when the next one begins.
        during: (steps, n) scores while it is learned.
    """
    return float(np.mean(before - during.min(axis=0))) if during.size else math.nan


def plasticity(r: npt.ArrayLike, learned: npt.ArrayLike | None = None) -> float:
    """mean_j R[j, j]: how well each scanner is learned when it is its turn.

    >>> plasticity([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])
    0.75
    """
    return float(np.mean(_after_learning(*_streamed(r, learned))))


def intransigence(
    r: npt.ArrayLike, reference: npt.ArrayLike, learned: npt.ArrayLike | None = None
) -> npt.NDArray[np.float64]:
    """R*_k − R[k, k] per scanner (Chaudhry et al. 2018, eq. 5).

    Args:
        r: (N+1, S).
        reference: (S,) score on scanner k of a model trained from scratch on scanners 1..k.
        learned: (S,) first visits; 1, 2, …, N by default.
    """
    return np.asarray(reference, float) - _after_learning(*_streamed(r, learned))


def _streamed(r: npt.ArrayLike, learned: npt.ArrayLike | None) -> tuple[Matrix, Positions]:
    matrix = np.asarray(r, float)
    if matrix.ndim != 2:
        raise ValueError(f"R must have two dimensions, got {matrix.shape}")
    experiences, scanners = matrix.shape[0] - 1, matrix.shape[1]
    if learned is None and experiences != scanners:
        raise ValueError(f"R must be (N+1, N) with the untrained model first, got {matrix.shape}")
    first = np.arange(1, scanners + 1) if learned is None else np.asarray(learned, np.intp)
    if len(first) != scanners or first.max(initial=1) > experiences:
        raise ValueError(f"first visits {first.tolist()} do not fit R of shape {matrix.shape}")
    return matrix, first


def _after_learning(r: Matrix, first: Positions) -> npt.NDArray[np.float64]:
    return r[first, np.arange(r.shape[1])]
