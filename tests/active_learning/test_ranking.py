"""Rankings of slices to label first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_seg.active_learning.ranking import METHODS, Candidates, rank


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


def test_strata_take_patients_in_turn_and_thirds_in_turn() -> None:
    given_slices = candidates()
    ranking = rank("stratified", given_slices, 3)
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
