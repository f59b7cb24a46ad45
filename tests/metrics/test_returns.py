"""Scores of streams that return to a scanner, on a matrix worked by hand and on any stream."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
)
from cl_seg.metrics.returns import (
    Return,
    first_visits,
    lost_before_return,
    regained,
    returns_of,
    steps_to_relearn,
)

SCORES = (acc, bwt, fwt, extended_fwt, forgetting, relative_forgetting, plasticity)
# A → B → A → C: rows untrained and four experiences, columns A, B, C.
ORDER = ["A", "B", "A", "C"]
R = np.array([
    [0.1, 0.0, 0.2],
    [0.8, 0.3, 0.4],
    [0.5, 0.9, 0.5],
    [0.7, 0.6, 0.3],
    [0.6, 0.5, 0.7],
])  # fmt: skip
LEARNED = [1, 2, 4]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (acc, (0.6 + 0.5 + 0.7) / 3),
        (plasticity, (0.8 + 0.9 + 0.7) / 3),
        (bwt, ((0.6 - 0.8) + (0.5 - 0.9)) / 2),
        (fwt, ((0.3 - 0.0) + (0.3 - 0.2)) / 2),
        (forgetting, ((0.8 - 0.6) + (0.9 - 0.5)) / 2),
        (relative_forgetting, (0.2 + 0.4) / (0.8 + 0.9)),
        (extended_fwt, (0.3 - 0.0 + (0.4 + 0.5 + 0.3) - 3 * 0.2) / 4),
    ],
)
def test_every_score_is_relative_to_the_first_visit(score, expected) -> None:
    assert list(first_visits(ORDER).values()) == LEARNED
    assert score(R, LEARNED) == pytest.approx(expected)


def test_a_stream_that_ends_with_a_return_has_all_scanners_in_bwt() -> None:
    r, learned = R[:4, :2], [1, 2]
    assert bwt(r, learned) == pytest.approx(((0.7 - 0.8) + (0.6 - 0.9)) / 2)
    assert forgetting(r, learned) == pytest.approx(((0.8 - 0.7) + (0.9 - 0.6)) / 2)
    assert intransigence(r, [0.9, 0.9], learned) == pytest.approx([0.1, 0.0])
    assert rma(r, [0.9, 0.6], learned) == pytest.approx(0.9 / 0.6)


def test_what_is_lost_and_regained() -> None:
    returns = returns_of(ORDER)
    assert returns == [Return(scanner=0, first=1, back=3)]
    assert lost_before_return(R, returns) == pytest.approx(0.8 - 0.5)
    assert regained(R, returns) == pytest.approx(0.7 - 0.5)
    assert math.isnan(lost_before_return(R, [])) and math.isnan(regained(R, []))


def test_steps_until_the_dice_of_the_first_visit() -> None:
    during = [(5, 0.6), (10, 0.8), (15, 0.7)]
    assert steps_to_relearn(0.8, 0.5, during) == 10
    assert steps_to_relearn(0.5, 0.5, during) == 0, "nothing was lost"
    assert math.isnan(steps_to_relearn(0.9, 0.5, during)), "not reached again"
    assert math.isnan(steps_to_relearn(math.nan, 0.5, during))


def test_first_visits_that_do_not_fit_r_are_refused() -> None:
    with pytest.raises(ValueError, match="N\\+1"):
        bwt(R)
    for learned in ([1, 2], [1, 2, 5]):
        with pytest.raises(ValueError, match="first visits"):
            bwt(R, learned)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_without_a_return_the_scores_are_those_of_the_diagonal(n: int, seed: int) -> None:
    r = np.random.default_rng(seed).random((n + 1, n))
    order = [f"s{k}" for k in range(n)]
    learned = list(first_visits(order).values())
    assert returns_of(order) == [] and learned == list(range(1, n + 1))
    for score in SCORES:
        assert np.array_equal(score(r), score(r, learned), equal_nan=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=10), st.integers(0, 2**32 - 1))
def test_a_return_to_the_end_changes_what_is_at_the_end_alone(order: list[str], seed: int) -> None:
    visits = first_visits(order)
    learned = list(visits.values())
    r = np.random.default_rng(seed).random((len(order) + 2, len(visits)))
    longer = [*order, order[0]]
    assert first_visits(longer) == visits
    assert len(returns_of(longer)) == len(returns_of(order)) + 1
    for score in (plasticity, fwt, extended_fwt):
        assert np.array_equal(score(r, learned), score(r[:-1], learned), equal_nan=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=10))
def test_every_experience_is_a_first_visit_or_a_return(order: list[str]) -> None:
    firsts, returns = first_visits(order), returns_of(order)
    assert len(firsts) + len(returns) == len(order)
    scanners = list(firsts)
    for found in returns:
        assert order[found.first - 1] == order[found.back - 1] == scanners[found.scanner]
        assert found.first < found.back
