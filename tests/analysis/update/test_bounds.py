"""Bounds against closed forms, their properties, and how often they err."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import skew, t

from cl_seg.analysis.update.bounds import Spread, spread_of
from cl_seg.analysis.update.judge import ALPHA

ALPHAS = st.floats(0.001, 0.2)
VALUES = st.tuples(st.integers(3, 9), st.integers(2, 4)).flatmap(
    lambda shape: arrays(float, shape, elements=st.floats(-1, 1, width=32))
)


def spread(values: np.ndarray) -> Spread:
    found = spread_of(values)
    assert found is not None
    return found


def test_without_seeds_and_skewness_it_is_students_bound_over_patients() -> None:
    of_patient = np.array([-3.0, -1, 0, 1, 3])
    expected = -t.ppf(0.95, 4) * of_patient.std(ddof=1) / np.sqrt(5)
    assert spread(np.tile(of_patient[:, None], 3)).lower_bound(0.05) == pytest.approx(expected)


def test_without_differences_of_patients_it_is_students_bound_over_seeds() -> None:
    of_seed = np.array([-1.0, 0.5, 2.0])
    expected = 0.5 - t.ppf(0.95, 2) * of_seed.std(ddof=1) / np.sqrt(3)
    assert spread(np.tile(of_seed, (7, 1))).lower_bound(0.05) == pytest.approx(expected)


def test_patients_and_seeds_add_as_banerjee_says() -> None:
    of_patient, of_seed = np.array([-3.0, -1, 0, 1, 3]), np.array([-1.0, 0, 1])
    parts = [
        (t.ppf(0.95, len(of) - 1) * of.std(ddof=1)) ** 2 / len(of) for of in (of_patient, of_seed)
    ]
    found = spread(of_patient[:, None] + of_seed).lower_bound(0.05)
    assert found == pytest.approx(-np.sqrt(sum(parts)))


def test_a_skewness_to_losses_moves_the_bound_away_as_hall_says() -> None:
    losses = np.array([0.0, 0, 0, 0, -1, -2])
    error = losses.std(ddof=1) / np.sqrt(6)
    g = skew(losses, bias=False) / np.sqrt(6)
    found = spread(np.tile(losses[:, None], 2)).lower_bound(0.05)
    statistic = (losses.mean() - found) / error
    transformed = statistic + g * statistic**2 / 3 + g**2 * statistic**3 / 27 + g / 6
    assert transformed == pytest.approx(t.ppf(0.95, 5))
    assert statistic > t.ppf(0.95, 5)


def test_a_skewness_to_gains_changes_nothing() -> None:
    gains = np.array([0.0, 0, 0, 0, 1, 2])
    expected = gains.mean() - t.ppf(0.95, 5) * gains.std(ddof=1) / np.sqrt(6)
    assert spread(np.tile(gains[:, None], 2)).lower_bound(0.05) == pytest.approx(expected)


@given(VALUES, ALPHAS, st.floats(-1, 1), st.floats(0.1, 10))
def test_bounds_move_and_stretch_with_the_changes(
    values: np.ndarray, alpha: float, shift: float, factor: float
) -> None:
    before, after = spread(values), spread(factor * values + shift)
    expected = factor * before.lower_bound(alpha) + shift
    assert after.lower_bound(alpha) == pytest.approx(expected, abs=1e-4)


@given(VALUES, ALPHAS)
def test_the_mean_lies_between_the_bounds_which_mirror_each_other(
    values: np.ndarray, alpha: float
) -> None:
    own, mirrored = spread(values), spread(-values)
    assert own.lower_bound(alpha) <= own.mean <= own.upper_bound(alpha)
    assert mirrored.lower_bound(alpha) == pytest.approx(-own.upper_bound(alpha), abs=1e-9)


@given(VALUES, ALPHAS, ALPHAS)
def test_a_smaller_error_rate_widens_the_bounds(values: np.ndarray, a: float, b: float) -> None:
    own = spread(values)
    assert own.lower_bound(min(a, b)) <= own.lower_bound(max(a, b)) + 1e-12


@given(VALUES, st.integers(1, 5), st.integers(1, 5))
def test_more_patients_and_seeds_do_not_widen_the_bounds(
    values: np.ndarray, patients: int, seeds: int
) -> None:
    own = spread(values)
    more = own.projected(own.patients * patients, own.seeds * seeds)
    assert more.lower_bound(ALPHA) >= own.lower_bound(ALPHA) - 1e-9


def test_nothing_more_is_projected_as_it_is() -> None:
    own = spread(np.random.default_rng(0).normal(size=(6, 3)))
    same = own.projected(6, 3)
    assert same == own


@pytest.mark.parametrize("shape", [(2, 5), (5, 1), (0, 0)])
def test_too_few_patients_or_seeds_have_no_spread(shape: tuple[int, int]) -> None:
    assert spread_of(np.zeros(shape)) is None
