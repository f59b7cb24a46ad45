"""Distances between features, against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.metrics.feature_distance import mahalanobis, shrunk_covariance


def samples(count: int, size: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(count, size)) @ random.normal(size=(size, size))


def test_distance_of_a_diagonal_gaussian_by_hand() -> None:
    found = mahalanobis(np.array([[3.0, 8.0]]), np.array([[0, 0], [3.0, 8.0]]), np.diag([1.0, 4.0]))
    assert found == pytest.approx(np.array([[5.0, 0.0]]))


@given(st.integers(0, 1000))
def test_distance_is_the_same_in_every_linear_frame(seed: int) -> None:
    points, means = samples(5, 3, seed), samples(2, 3, seed + 1)
    covariance, frame = np.cov(samples(20, 3, seed + 2).T), samples(3, 3, seed + 3) + 9 * np.eye(3)
    moved = mahalanobis(points @ frame.T, means @ frame.T, frame @ covariance @ frame.T)
    assert moved == pytest.approx(mahalanobis(points, means, covariance), rel=1e-5)


def test_covariance_follows_the_units_of_features() -> None:
    residuals, units = samples(12, 4), np.array([1, 1e3, 1e-3, 7.0])
    scaled = shrunk_covariance(residuals * units)
    assert scaled == pytest.approx(shrunk_covariance(residuals) * np.outer(units, units))


def test_a_feature_that_never_varied_has_a_variance() -> None:
    residuals = np.hstack([samples(6, 3), np.zeros((6, 1))])
    assert np.linalg.eigvalsh(shrunk_covariance(residuals)).min() > 0
    with pytest.raises(ValueError, match="do not vary"):
        shrunk_covariance(np.zeros((3, 2)))
