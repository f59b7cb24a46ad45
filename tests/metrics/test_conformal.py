"""Split-conformal limits: by hand, and their coverage by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.metrics.conformal import ConformalLine, conformal_quantile, fit_line


def test_quantile_by_hand() -> None:
    scores = [0.3, 0.1, 0.4, 0.2]
    assert conformal_quantile(scores, 0.8) == 0.4  # rank ⌈5 · 0.8⌉ = 4
    assert conformal_quantile(scores, 0.5) == 0.3  # rank ⌈2.5⌉ = 3
    assert conformal_quantile(scores, 0.9) == math.inf


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.05, 0.95))
def test_each_score_left_out_in_turn_is_covered_often_enough(
    scores: list[float], level: float
) -> None:
    # The average over which of n + 1 exchangeable scores is the further one.
    covered = [
        score <= conformal_quantile(scores[:i] + scores[i + 1 :], level)
        for i, score in enumerate(scores)
    ]
    assert np.mean(covered) >= level - 1e-9


def test_line_and_margin_by_hand() -> None:
    x, y = np.array([0, 1.0, 0, 1.0]), np.array([0.2, 0.8, 0.3, 0.6])
    line = fit_line(x, y, np.array([False, False, True, True]), 0.6)
    assert (line.slope, line.intercept, line.margin) == pytest.approx((0.6, 0.2, 0.2))
    assert line.interval(0.5) == pytest.approx((0.5, 0.3, 0.7))
    assert line.interval(2.0) == pytest.approx((1.0, 0.8, 1.0))


def test_too_few_samples_say_nothing() -> None:
    line = fit_line(np.ones(3), np.array([0.4, 0.6, 0.1]), np.array([False, False, True]), 0.9)
    assert line == ConformalLine(0.0, 0.5, 1.0)
    assert line.interval(1.0) == (0.5, 0.0, 1.0)


def test_the_interval_covers_what_was_promised_though_the_line_is_wrong() -> None:
    random = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        x = random.uniform(size=42)
        y = np.clip(x**3 + random.exponential(0.05, 42), 0, 1)
        line = fit_line(x[:-1], y[:-1], np.arange(41) >= 20, 0.9)
        _, low, high = line.interval(float(x[-1]))
        covered.append(low <= y[-1] <= high)
    assert 0.86 < np.mean(covered) < 0.95  # rank ⌈22 · 0.9⌉ = 20 of 21 gives 20 / 22 = 0.91
