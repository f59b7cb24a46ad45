"""Rankings of slices to label first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from cl_seg.active_learning.ranking import (
    METHODS,
    NEIGHBOURS,
    ROWS,
    Candidates,
    _typicality,
    rank,
)


def candidates(patients: int = 4, slices: int = 6, seed: int = 0) -> Candidates:
    rows = [{"patient": f"p{p}", "z_mm": 5.0 * z} for p in range(patients) for z in range(slices)]
    random = np.random.default_rng(seed)
    count = len(rows)
    return Candidates(pd.DataFrame(rows), random.normal(size=(count, 3)), random.random(count))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99), st.sampled_from(sorted(METHODS)))
def test_every_slice_is_ranked_once_and_the_seed_settles_all(
    patients: int, slices: int, seed: int, method: str
) -> None:
    given_slices = candidates(patients, slices, seed)
    ranking = rank(method, given_slices, seed)
    assert sorted(ranking) == list(range(patients * slices))
    assert ranking == rank(method, given_slices, seed)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 30), st.integers(0, 99), st.sampled_from(sorted(METHODS)))
def test_a_shorter_ranking_is_the_beginning_of_the_whole(
    count: int, seed: int, method: str
) -> None:
    given_slices = candidates(seed=seed)
    assert rank(method, given_slices, seed, count) == rank(method, given_slices, seed)[:count]


def test_k_center_on_points_of_a_line() -> None:
    """0, 1, 2 and 10: the farthest, by hand, from each of them on."""
    on_a_line = Candidates(features=np.array([[0.0], [1.0], [2.0], [10.0]]))
    expected = {0: [0, 3, 2, 1], 1: [1, 3, 0, 2], 2: [2, 3, 0, 1], 3: [3, 0, 2, 1]}
    rankings = [rank("k-center", on_a_line, seed) for seed in range(20)]
    assert {ranking[0] for ranking in rankings} == expected.keys(), "the first is drawn"
    assert all(ranking == expected[ranking[0]] for ranking in rankings)


def test_typical_slices_of_two_clusters() -> None:
    """0 to 5 and 100 to 102: all others are among the 20 nearest, so that the median is nearest."""
    line = np.array([0.0, 1, 2, 3, 4, 5, 100, 101, 102])
    for seed in range(5):
        first, second = rank("typiclust", Candidates(features=line[:, None]), seed, 2)
        assert line[first] == 4, "the median of all, which are the first cluster"
        assert line[second] == 101, "the median of the cluster without a chosen slice"


def test_typicality_of_many_slices_is_that_of_a_whole_table_of_distances() -> None:
    features = np.random.default_rng(0).normal(size=(2 * ROWS + 7, 3))
    nearest = np.sort(cdist(features, features), axis=1)[:, 1 : NEIGHBOURS + 1]
    assert np.array_equal(_typicality(features), 1 / (nearest.mean(axis=1) + 1e-12))


def test_strata_take_patients_in_turn_and_thirds_in_turn() -> None:
    given_slices = candidates()
    ranking = rank("stratified", given_slices, 3)
    assert given_slices.slices is not None
    rows = given_slices.slices.iloc[ranking].reset_index(drop=True)
    assert all(rows["patient"][k : k + 4].nunique() == 4 for k in range(0, 24, 4))
    thirds = (rows["z_mm"] / 10).astype(int)
    for patient in rows["patient"].unique():
        assert thirds[rows["patient"] == patient][:3].nunique() == 3


def test_the_least_sure_come_first() -> None:
    given_slices = candidates()
    assert given_slices.entropy is not None
    ranked = given_slices.entropy[rank("entropy", given_slices, 0)]
    assert (np.diff(ranked) <= 0).all()


def clusters() -> Candidates:
    """Ten, six and three slices around three far points; the first of each lies in its middle."""
    random = np.random.default_rng(0)
    parts = []
    for centre, count in (((0, 0), 10), ((50, 0), 6), ((0, 50), 3)):
        parts.append(np.vstack([centre, centre + random.normal(size=(count - 1, 2))]))
    features = np.vstack(parts)
    slices = pd.DataFrame({"patient": "p", "z_mm": np.arange(len(features), dtype=float)})
    return Candidates(slices, features)


@pytest.mark.parametrize("seed", range(5))
def test_k_center_visits_every_cluster_first(seed: int) -> None:
    ranking = rank("k-center", clusters(), seed)
    assert {int(np.searchsorted([10, 16, 19], i, side="right")) for i in ranking[:3]} == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_typical_slices_of_large_clusters_come_first(seed: int) -> None:
    given_slices = clusters()
    ranking = rank("typiclust", given_slices, seed)
    assert {int(np.searchsorted([10, 16, 19], i, side="right")) for i in ranking[:4]} == {0, 1, 2}
    assert given_slices.features is not None
    outermost = np.linalg.norm(given_slices.features[:10], axis=1).argmax()
    assert int(outermost) not in ranking[:3]


def test_features_that_do_not_vary_are_no_fault() -> None:
    slices = pd.DataFrame({"patient": "p", "z_mm": [0.0, 1.0, 2.0]})
    for method in ("k-center", "typiclust"):
        assert sorted(rank(method, Candidates(slices, np.ones((3, 4))), 0)) == [0, 1, 2]
