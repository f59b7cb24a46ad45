"""Scores of a stream against worked matrices and what must hold of every matrix."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cl_seg.metrics.continual import (
    acc,
    bwt,
    extended_fwt,
    forgetting,
    fwt,
    intransigence,
    plasticity,
    relative_forgetting,
    rma,
    stability_gap,
    unseen_dice,
    worst_scanner,
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
    assert acc(R) == pytest.approx((0.7 + 0.5 + 0.6) / 3)
    assert bwt(R) == pytest.approx(((0.7 - 0.8) + (0.5 - 0.9)) / 2)
    assert fwt(R) == pytest.approx(((0.4 - 0.2) + (0.7 - 0.3)) / 2)
    assert forgetting(R) == pytest.approx(((0.85 - 0.7) + (0.9 - 0.5)) / 2)
    assert plasticity(R) == pytest.approx((0.8 + 0.9 + 0.6) / 3)
    assert intransigence(R, np.array([0.85, 0.9, 0.95])) == pytest.approx([0.05, 0, 0.35])


def test_transfer_and_other_scanners_by_hand():
    # t < i: (1, 2), (1, 3), (2, 3).
    assert extended_fwt(R) == pytest.approx(((0.4 - 0.2) + (0.5 - 0.3) + (0.7 - 0.3)) / 3)
    assert rma(R, [0.1, 0.75, 0.8]) == pytest.approx((0.9 / 0.75 + 0.6 / 0.8) / 2)
    assert worst_scanner(R) == 0.5
    unseen = [[0.0, 0.1], [0.5, 0.7], [0.6, 0.6], [0.4, 0.9]]
    assert worst_scanner(R, unseen) == 0.4
    assert unseen_dice(unseen) == pytest.approx((0.6, 0.65))


def test_one_scanner_has_no_transfer_and_nothing_alone_no_ratio():
    assert math.isnan(extended_fwt([[0.1], [0.9]])) and math.isnan(rma([[0.1], [0.9]], [0.9]))
    assert math.isnan(rma(R, [0.5, 0.0, 0.5]))
    assert math.isnan(extended_fwt(np.where(R == 0.5, np.nan, R)))


@given(matrices)
def test_what_holds_of_transfer_and_the_worst_scanner(r):
    n = r.shape[1]
    assert -1 <= extended_fwt(r) <= 1
    assert extended_fwt(np.broadcast_to(r[0], r.shape)) == 0
    if n == 2:
        assert extended_fwt(r) == fwt(r)
    assert worst_scanner(r) <= acc(r) + 1e-12
    assert worst_scanner(r, r[:, :1]) == worst_scanner(r)
    alone = np.full(n, 0.5)
    assert rma(r, alone) == pytest.approx(np.mean(r[1:].diagonal()[1:]) / 0.5)
    learned = np.maximum(r, 0.1)
    assert rma(learned, learned[1:].diagonal()) == 1


@given(matrices, st.floats(-0.5, 0.5))
def test_a_shift_of_all_dice_changes_no_transfer(r, shift):
    assert extended_fwt(r + shift) == pytest.approx(extended_fwt(r), abs=1e-9)
    assert unseen_dice(r + shift) == pytest.approx(np.add(unseen_dice(r), shift), abs=1e-9)


def test_relative_forgetting_by_hand():
    assert relative_forgetting(R) == pytest.approx((0.1 + 0.4) / (0.8 + 0.9))
    assert math.isnan(relative_forgetting(np.zeros((3, 2))))


def test_stability_gap_by_hand():
    before, during = np.array([0.8, 0.9]), np.array([[0.5, 0.9], [0.7, 0.6], [0.8, 0.85]])
    assert stability_gap(before, during) == pytest.approx((0.3 + 0.3) / 2)
    assert stability_gap(before, before[None] + 0.05) == pytest.approx(-0.05)
    assert math.isnan(stability_gap(np.array([]), np.empty((0, 0))))


def test_untrained_row_is_no_stage_of_forgetting():
    r = np.array([[0.9, 0.9], [0.5, 0.1], [0.4, 0.6]])
    assert forgetting(r) == pytest.approx(0.5 - 0.4)


def test_last_stage_is_no_candidate_for_the_maximum():
    r = np.array([[0.0, 0.0], [0.5, 0.1], [0.8, 0.6]])
    assert forgetting(r) == pytest.approx(0.5 - 0.8)


def test_single_scanner():
    r = np.array([[0.1], [0.8]])
    assert acc(r) == plasticity(r) == 0.8
    assert intransigence(r, np.array([0.9])) == pytest.approx([0.1])
    for score in (bwt, fwt, forgetting, relative_forgetting):
        assert math.isnan(score(r))


def test_joint_training_has_an_accuracy():
    """One stage on all scanners: its R is (2, N)."""
    assert acc(np.array([[0.0, 0.0, 0.0], [0.6, 0.7, 0.8]])) == pytest.approx(0.7)


@pytest.mark.parametrize("score", [bwt, fwt, forgetting, plasticity])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3), (5, 3)])
def test_wrong_shape(score, shape):
    with pytest.raises(ValueError, match="untrained model first"):
        score(np.zeros(shape))


@given(matrices)
def test_forgetting_is_at_least_minus_backward_transfer(r):
    assert forgetting(r) >= -bwt(r) - 1e-12


@given(matrices)
def test_means_stay_in_range(r):
    for score in (acc, plasticity):
        assert r.min() - 1e-12 <= score(r) <= r.max() + 1e-12


@given(matrices)
def test_frozen_model_neither_forgets_nor_transfers(r):
    frozen = np.repeat(r[:1], len(r), axis=0)
    for score in (bwt, fwt, forgetting):
        assert score(frozen) == pytest.approx(0, abs=1e-12)
    assert acc(frozen) == pytest.approx(plasticity(frozen))


@given(matrices, st.floats(-1, 1))
def test_differences_ignore_a_common_shift(r, shift):
    for score in (bwt, fwt, forgetting):
        assert score(r + shift) == pytest.approx(score(r), abs=1e-9)
    assert acc(r + shift) == pytest.approx(acc(r) + shift, abs=1e-9)


@given(matrices)
def test_accuracy_is_plasticity_plus_share_of_backward_transfer(r):
    n = r.shape[1]
    expected = plasticity(r) + (n - 1) / n * bwt(r)
    assert acc(r) == pytest.approx(expected, abs=1e-9)


@given(matrices)
def test_no_intransigence_against_oneself(r):
    learned = r[1:].diagonal()
    assert intransigence(r, learned) == pytest.approx(np.zeros(len(learned)))


@given(matrices)
def test_relative_forgetting_is_backward_transfer_over_what_was_learned(r):
    learned = r[1:].diagonal()[:-1]
    if learned.sum() > 0:
        expected = -bwt(r) / learned.mean()
        assert relative_forgetting(r) == pytest.approx(expected, abs=1e-9, rel=1e-6)
        assert relative_forgetting(r) <= 1 + 1e-9
    else:
        assert math.isnan(relative_forgetting(r))


@given(matrices, st.randoms())
def test_order_of_earlier_scanners_does_not_matter_to_means(r, random):
    """Renaming all scanners but the last, stages with them, changes no mean over them."""
    n = r.shape[1]
    order = list(range(n - 1))
    random.shuffle(order)
    columns = [*order, n - 1]
    rows = [0, *(k + 1 for k in columns)]
    moved = r[np.ix_(rows, columns)]
    for score in (acc, bwt, plasticity, relative_forgetting, forgetting):
        assert score(moved) == pytest.approx(score(r), nan_ok=True, abs=1e-9)


@given(matrices, st.integers(0, 100))
def test_a_score_that_is_missing_is_not_made_up(r, where):
    r = r.copy()
    r[-1, where % (r.shape[1] - 1)] = np.nan
    for score in (acc, bwt, forgetting, relative_forgetting):
        assert math.isnan(score(r))


@given(arrays(np.float64, (4, 3), elements=st.floats(0, 1, width=32)))
def test_more_evaluations_never_make_the_gap_smaller(during):
    before = during[0]
    assert stability_gap(before, during[:2]) <= stability_gap(before, during) + 1e-12
    assert stability_gap(before, during) >= 0


@given(matrices)
def test_scores_that_need_unscanners_to_test_are_nan_and_the_others_the_same(r):
    n = r.shape[1]
    i, j = np.indices(r.shape)
    seen = np.where(j < i, r, np.nan)
    for score in (acc, bwt, plasticity, relative_forgetting):
        assert score(seen) == pytest.approx(score(r), nan_ok=True)
    assert math.isnan(fwt(seen))
    since = np.where(j < i, r, 0)
    assert forgetting(seen) == pytest.approx(forgetting(since))
    assert forgetting(seen) <= forgetting(r) + 1e-12
    every = np.where((i == 0) | (i == n) | (j == i) | (j + 1 == i), r, np.nan)
    for score in (acc, bwt, fwt, plasticity):
        assert score(every) == pytest.approx(score(r))
    assert math.isnan(forgetting(every)) == (n > 2), "a maximum over stages that were not tested"
