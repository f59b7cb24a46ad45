"""Rankings of slices by how much labelling them, or keeping them in a memory, is worth.

Every method ranks all slices, one after the other. The first n are the choice of n slices, so a
larger choice contains the smaller ones. Draws and ties depend on the seed.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist

NEIGHBOURS = 20  # of the typicality, as in Hacohen et al. 2022
LEVELS = 3  # thirds of a case along z, of the stratified choice
ROWS = 1024  # of a table of distances held in memory at a time
Ranking = list[int]


@dataclass(frozen=True)
class Candidates:
    """Slices to choose from and what is known of them.

    Attributes:
        slices: rows with columns ``patient`` and ``z_mm``, for methods that ask no network.
        features: (N, D) of a network, for methods that need them.
        entropy: (N,) mean entropy of a network's pixels, for methods that need it.
    """

    slices: pd.DataFrame | None = None
    features: npt.NDArray[np.float64] | None = None
    entropy: npt.NDArray[np.float64] | None = None


def rank(method: str, candidates: Candidates, seed: int, count: int | None = None) -> Ranking:
    """Positions of the candidates, the slice to choose first at the beginning.

    Args:
        method: a name of :data:`METHODS`.
        candidates: slices to choose from.
        seed: of draws and of ties.
        count: only so many; None ranks all.
    """
    return list(islice(METHODS[method](candidates, np.random.default_rng(seed)), count))


def by_random(candidates: Candidates, random: np.random.Generator) -> Iterator[int]:
    """A random permutation."""
    assert candidates.slices is not None
    yield from map(int, random.permutation(len(candidates.slices)))


def by_strata(candidates: Candidates, random: np.random.Generator) -> Iterator[int]:
    """Patients in turn, and of each patient its lower, middle and upper third in turn."""
    assert candidates.slices is not None
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
    yield from _in_turn(list(queues.values()))


def by_entropy(candidates: Candidates, random: np.random.Generator) -> Iterator[int]:
    """The slices a network is least sure of first."""
    assert candidates.entropy is not None
    ties = random.permutation(len(candidates.entropy))
    yield from map(int, np.lexsort((ties, -candidates.entropy)))


def by_k_center(candidates: Candidates, random: np.random.Generator) -> Iterator[int]:
    """Always the slice farthest from those before it (Sener & Savarese 2018, arXiv 1708.00489)."""
    features = _standardised(candidates)
    nearest = np.full(len(features), np.inf)
    latest = int(random.integers(len(features)))
    for _ in features:
        yield latest
        nearest = np.minimum(nearest, cdist(features, features[[latest]])[:, 0])
        nearest[latest] = -1.0
        latest = int(nearest.argmax())


def by_typicality(candidates: Candidates, random: np.random.Generator) -> Iterator[int]:
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
        members = [np.flatnonzero(cluster_of == cluster) for cluster in range(count)]
        free = [own for own in members if len(own) and not np.isin(chosen, own).any()]
        by_size = sorted(free, key=len, reverse=True)
        found = [int(own[_typicality(features[own]).argmax()]) for own in by_size]
        chosen += found
        yield from found
        if count == distinct:
            yield from (i for i in range(len(features)) if i not in chosen)
            return
        clusters *= 2


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
    nearest = [
        np.sort(cdist(features[start : start + ROWS], features), axis=1)[:, 1 : NEIGHBOURS + 1]
        for start in range(0, len(features), ROWS)
    ]
    distances = np.concatenate(nearest)
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


METHODS: dict[str, Callable[[Candidates, np.random.Generator], Iterator[int]]] = {
    "random": by_random,
    "stratified": by_strata,
    "k-center": by_k_center,
    "typiclust": by_typicality,
    "entropy": by_entropy,
}
NEEDS_NETWORK = frozenset({"k-center", "typiclust", "entropy"})
