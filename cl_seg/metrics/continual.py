"""Continual-learning scores as pure functions of the accuracy matrix R.

R is (N+1, N): ``R[i, j]`` is the test score on scanner j+1 of the stream after its experience i,
row 0 being the untrained model. N is the number of scanners in the stream. Several definitions of
forward transfer and of forgetting circulate; these are the ones used here, without alternatives.
R is NaN where a scanner was not tested; a score that needs such a value is NaN.
"""

import math

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


def acc(r: npt.ArrayLike) -> float:
    """ACC = mean_j R[N, j] (Lopez-Paz & Ranzato 2017, eq. 2).

    >>> acc([[0.0, 0.0], [0.8, 0.2], [0.6, 0.8]])
    0.7
    """
    return float(np.mean(np.asarray(r, float)[-1]))


def bwt(r: npt.ArrayLike) -> float:
    """BWT = mean_{j<N} (R[N, j] − R[j, j]) (Lopez-Paz & Ranzato 2017, eq. 3); NaN if N = 1.

    >>> bwt([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])
    -0.25
    """
    r = _streamed(r)
    learned = _after_learning(r)
    return float(np.mean(r[-1, :-1] - learned[:-1])) if len(learned) > 1 else math.nan


def fwt(r: npt.ArrayLike) -> float:
    """FWT = mean_{j≥2} (R[j−1, j] − R[0, j]) (Lopez-Paz & Ranzato 2017, eq. 4); NaN if N = 1.

    >>> fwt([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])
    0.25
    """
    r = _streamed(r)
    j = np.arange(1, r.shape[1])
    return float(np.mean(r[j, j] - r[0, j])) if len(j) else math.nan


def extended_fwt(r: npt.ArrayLike) -> float:
    """E-FWT = mean over 1 ≤ t < i ≤ N of R[t, i] − R[0, i]; NaN if N = 1.

    FWT looks at a scanner just before it is learned; this looks at it after every earlier
    experience, all pairs (t, i) weighing the same. A part of what Díaz-Rodríguez et al. 2018 (arXiv
    1810.13166) average, the cells above the diagonal of R, relative to the untrained
    network. The same as FWT if N = 2.

    >>> extended_fwt([[0.0, 0.25], [0.75, 0.5], [0.5, 0.75]])
    0.25
    """
    r = _streamed(r)
    t, i = np.triu_indices(r.shape[1], 1)
    return float(np.mean(r[t + 1, i] - r[0, i])) if len(t) else math.nan


def rma(r: npt.ArrayLike, alone: npt.ArrayLike) -> float:
    """RMA = mean_{i≥2} R[i, i] / S_i: what is learned in its turn, relative to learning it alone.

    The convention is the ratio, not the difference: 1 where earlier scanners neither help nor
    hinder, above 1 where they help. NaN if N = 1 or some S_i is 0.

    Args:
        r: (N+1, N).
        alone: (N,) S_i, score on scanner i of a network trained from scratch on scanner i.

    >>> rma([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]], [0.75, 1.0])
    0.75
    """
    learned, alone = _after_learning(_streamed(r))[1:], np.asarray(alone, float)[1:]
    return float(np.mean(learned / alone)) if len(learned) and alone.all() else math.nan


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


def forgetting(r: npt.ArrayLike) -> float:
    """Mean over j<N of max_{1≤l<N} R[l, j] − R[N, j] (Chaudhry et al. 2018, eq. 3); NaN if N = 1.

    The maximum is biased upwards by noise: descriptive only, claims use BWT. Stages before that of
    the scanner count if it was tested then; all from l = j on are needed.

    >>> forgetting([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])
    0.25
    """
    r = _streamed(r)
    n = r.shape[1]
    if n < 2:
        return math.nan
    earlier = r[1:n, :-1]
    needed = np.isfinite(earlier) | np.tri(n - 1, dtype=bool)
    best = np.where(needed, earlier, -np.inf).max(axis=0)
    return float(np.mean(best - r[-1, :-1]))


def relative_forgetting(r: npt.ArrayLike) -> float:
    """Σ_{j<N} (R[j, j] − R[N, j]) / Σ_{j<N} R[j, j], the share of what was learned that is lost.

    That is −BWT over the plasticity of all scanners but the last, so that a network that learns
    less is not praised for having less to forget. NaN if N = 1 or nothing was learned.
    """
    r = _streamed(r)
    learned = _after_learning(r)[:-1]
    total = float(learned.sum())
    return float((learned - r[-1, :-1]).sum()) / total if total else math.nan


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


def plasticity(r: npt.ArrayLike) -> float:
    """mean_j R[j, j]: how well each scanner is learned when it is its turn.

    >>> plasticity([[0.0, 0.0], [0.75, 0.25], [0.5, 0.75]])
    0.75
    """
    return float(np.mean(_after_learning(_streamed(r))))


def intransigence(r: npt.ArrayLike, reference: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """R*_k − R[k, k] per scanner (Chaudhry et al. 2018, eq. 5).

    Args:
        r: (N+1, N).
        reference: (N,) score on scanner k of a model trained from scratch on scanners 1..k.
    """
    return np.asarray(reference, float) - _after_learning(_streamed(r))


def _streamed(r: npt.ArrayLike) -> Matrix:
    matrix = np.asarray(r, float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] + 1:
        raise ValueError(f"R must be (N+1, N) with the untrained model first, got {matrix.shape}")
    return matrix


def _after_learning(r: Matrix) -> npt.NDArray[np.float64]:
    return r[1:].diagonal()
