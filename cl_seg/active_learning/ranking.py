"""Rankings of unlabelled slices by how much labelling them is worth.

Every method ranks all slices. The first n are the choice of n slices, so a larger choice contains
the smaller ones. Draws and ties depend on the seed.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist

NEIGHBOURS = 20  # of the typicality, as in Hacohen et al. 2022
LEVELS = 3  # thirds of a case along z, of the stratified choice
Ranking = list[int]


@dataclass(frozen=True)
class Candidates:
    """Unlabelled slices and what is known of them.

    Attributes:
        slices: rows with columns ``patient`` and ``z_mm``.
        features: (N, D) of a network, for methods that need them.
        entropy: (N,) mean entropy of a network's pixels, for methods that need it.
    """

    slices: pd.DataFrame
    features: npt.NDArray[np.float64] | None = None
    entropy: npt.NDArray[np.float64] | None = None


def rank(method: str, candidates: Candidates, seed: int) -> Ranking:
    """Positions of the candidates, the slice to label first at the beginning.

    Args:
        method: a name of :data:`METHODS`.
        candidates: slices to choose from.
        seed: of draws and of ties.
    """
    return METHODS[method](candidates, np.random.default_rng(seed))


def by_random(candidates: Candidates, random: np.random.Generator) -> Ranking:
    """A random permutation."""
    return [int(i) for i in random.permutation(len(candidates.slices))]


def by_strata(candidates: Candidates, random: np.random.Generator) -> Ranking:
    """Patients in turn, and of each patient its lower, middle and upper third in turn."""
    slices = candidates.slices.reset_index(drop=True)
    order = random.permutation(len(slices))
    of_patient = slices.groupby("patient")["z_mm"]
    above = of_patient.rank(method="first").to_numpy() - 1
    third = (above * LEVELS / of_patient.transform("size").to_numpy()).astype(int)
    first_third = {p: int(random.integers(LEVELS)) for p in pd.unique(slices["patient"])}
    waiting: dict[str, list[list[int]]] = {}
    for index in order:
        patient = slices["patient"][index]
        turn = (third[index] - first_third[patient]) % LEVELS
        waiting.setdefault(patient, [[] for _ in range(LEVELS)])[turn].append(int(index))
    queues = {patient: _in_turn(thirds) for patient, thirds in waiting.items()}
    return _in_turn(list(queues.values()))


def by_entropy(candidates: Candidates, random: np.random.Generator) -> Ranking:
    """The slices a network is least sure of first."""
    assert candidates.entropy is not None
    ties = random.permutation(len(candidates.entropy))
    return [int(i) for i in np.lexsort((ties, -candidates.entropy))]


def by_k_center(candidates: Candidates, random: np.random.Generator) -> Ranking:
    """Always the slice farthest from those before it (Sener & Savarese 2018, arXiv 1708.00489)."""
    features = _standardised(candidates)
    chosen = [int(random.integers(len(features)))]
    nearest = cdist(features, features[chosen])[:, 0]
    while len(chosen) < len(features):
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, cdist(features, features[chosen[-1:]])[:, 0])
    return chosen


def by_typicality(candidates: Candidates, random: np.random.Generator) -> Ranking:
    """TypiClust: the most typical slice of every cluster (Hacohen et al. 2022, arXiv 2202.02794).

    Typicality is the inverse mean distance to the 20 nearest neighbours in the cluster. To rank
    all slices, they are divided into 1, 2, 4, 8 … clusters in turn; each time the clusters without
    a chosen slice add one, the largest cluster first.
    """
    features = _standardised(candidates)
    distinct = len(np.unique(features, axis=0))
    chosen: Ranking = []
    clusters = 1
    while len(chosen) < len(features):
        count = min(clusters, distinct)
        cluster_of = _clustered(features, count, random)
        free = [
            c for c in range(count) if not np.isin(chosen, np.flatnonzero(cluster_of == c)).any()
        ]
        for cluster in sorted(free, key=lambda c: (-int((cluster_of == c).sum()), c)):
            members = np.flatnonzero(cluster_of == cluster)
            if len(members):
                chosen.append(int(members[_typicality(features[members]).argmax()]))
        if count == distinct:
            chosen += [i for i in range(len(features)) if i not in chosen]
        clusters *= 2
    return chosen


def _clustered(
    features: npt.NDArray[np.float64], count: int, random: np.random.Generator
) -> npt.NDArray[np.int32]:
    """Cluster of every row; k-means may leave some of the clusters empty."""
    if count == 1:
        return np.zeros(len(features), np.int32)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        clusters: npt.NDArray[np.int32] = kmeans2(features, count, minit="++", seed=random)[1]
    return clusters


def _typicality(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    distances = np.sort(cdist(features, features), axis=1)[:, 1 : NEIGHBOURS + 1]
    if not distances.shape[1]:
        return np.ones(len(features))
    typicality: npt.NDArray[np.float64] = 1 / (distances.mean(axis=1) + 1e-12)
    return typicality


def _standardised(candidates: Candidates) -> npt.NDArray[np.float64]:
    assert candidates.features is not None
    features = np.asarray(candidates.features, float)
    spread = features.std(axis=0)
    kept = spread > 0
    scaled: npt.NDArray[np.float64] = (features[:, kept] - features[:, kept].mean(0)) / spread[kept]
    return scaled if kept.any() else np.zeros((len(features), 1))


def _in_turn(queues: Sequence[list[int]]) -> Ranking:
    """The first of every queue, then the second of every queue, and so on."""
    longest = max(map(len, queues), default=0)
    return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]


METHODS: dict[str, Callable[[Candidates, np.random.Generator], Ranking]] = {
    "random": by_random,
    "stratified": by_strata,
    "k-center": by_k_center,
    "typiclust": by_typicality,
    "entropy": by_entropy,
}
NEEDS_NETWORK = frozenset({"k-center", "typiclust", "entropy"})
