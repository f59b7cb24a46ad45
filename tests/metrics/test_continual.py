"""Scores of a stream against worked matrices and what must hold of every matrix."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cl_seg.metrics.continual import (
    accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    intransigence,
    plasticity,
)

R = np.array(
    [
        [0.10, 0.20, 0.30],  # untrained
        [0.80, 0.40, 0.50],
        [0.85, 0.90, 0.70],
        [0.70, 0.50, 0.60],
    ]
)
matrices = st.integers(2, 5).flatmap(
    lambda n: arrays(np.float64, (n + 1, n), elements=st.floats(0, 1, width=32))
)


def test_worked_matrix():
    assert accuracy(R) == pytest.approx((0.7 + 0.5 + 0.6) / 3)
    assert backward_transfer(R) == pytest.approx(((0.7 - 0.8) + (0.5 - 0.9)) / 2)
    assert forward_transfer(R) == pytest.approx(((0.4 - 0.2) + (0.7 - 0.3)) / 2)
    assert forgetting(R) == pytest.approx(((0.85 - 0.7) + (0.9 - 0.5)) / 2)
    assert plasticity(R) == pytest.approx((0.8 + 0.9 + 0.6) / 3)
    assert intransigence(R, np.array([0.85, 0.9, 0.95])) == pytest.approx([0.05, 0, 0.35])


def test_untrained_row_is_no_stage_of_forgetting():
    r = np.array([[0.9, 0.9], [0.5, 0.1], [0.4, 0.6]])
    assert forgetting(r) == pytest.approx(0.5 - 0.4)


def test_last_stage_is_no_candidate_for_the_maximum():
    r = np.array([[0.0, 0.0], [0.5, 0.1], [0.8, 0.6]])
    assert forgetting(r) == pytest.approx(0.5 - 0.8)


def test_single_scanner():
    r = np.array([[0.1], [0.8]])
    assert accuracy(r) == plasticity(r) == 0.8
    assert intransigence(r, np.array([0.9])) == pytest.approx([0.1])
    for score in (backward_transfer, forward_transfer, forgetting):
        assert math.isnan(score(r))


def test_joint_training_has_an_accuracy():
    """One stage on all scanners: its R is (2, N)."""
    assert accuracy(np.array([[0.0, 0.0, 0.0], [0.6, 0.7, 0.8]])) == pytest.approx(0.7)


@pytest.mark.parametrize("score", [backward_transfer, forward_transfer, forgetting, plasticity])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3), (5, 3)])
def test_wrong_shape(score, shape):
    with pytest.raises(ValueError, match="untrained model first"):
        score(np.zeros(shape))


@given(matrices)
def test_forgetting_is_at_least_minus_backward_transfer(r):
    assert forgetting(r) >= -backward_transfer(r) - 1e-12


@given(matrices)
def test_means_stay_in_range(r):
    for score in (accuracy, plasticity):
        assert r.min() - 1e-12 <= score(r) <= r.max() + 1e-12


@given(matrices)
def test_frozen_model_neither_forgets_nor_transfers(r):
    frozen = np.repeat(r[:1], len(r), axis=0)
    for score in (backward_transfer, forward_transfer, forgetting):
        assert score(frozen) == pytest.approx(0, abs=1e-12)
    assert accuracy(frozen) == pytest.approx(plasticity(frozen))


@given(matrices, st.floats(-1, 1))
def test_differences_ignore_a_common_shift(r, shift):
    for score in (backward_transfer, forward_transfer, forgetting):
        assert score(r + shift) == pytest.approx(score(r), abs=1e-9)
    assert accuracy(r + shift) == pytest.approx(accuracy(r) + shift, abs=1e-9)


@given(matrices)
def test_accuracy_is_plasticity_plus_share_of_backward_transfer(r):
    n = r.shape[1]
    expected = plasticity(r) + (n - 1) / n * backward_transfer(r)
    assert accuracy(r) == pytest.approx(expected, abs=1e-9)


@given(matrices)
def test_no_intransigence_against_oneself(r):
    learned = r[1:].diagonal()
    assert intransigence(r, learned) == pytest.approx(np.zeros(len(learned)))
