"""Percentiles of cases and the spread over orders, by hand and by what must hold."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.metrics.spread import case_percentiles, order_spread

scores = st.lists(st.floats(0, 1, width=32), min_size=2, max_size=12)


def test_percentiles_by_hand() -> None:
    values = [0.9, 0.5, 0.7, 0.1, 0.3]  # five cases: a fifth of the way per quarter of 100 %
    assert case_percentiles(values) == pytest.approx((0.1 + 0.2 * 0.2, 0.3, 0.5))
    assert case_percentiles([*values, math.nan]) == case_percentiles(values)
    assert all(map(math.isnan, case_percentiles([math.nan])))


@given(scores)
def test_percentiles_rise_and_do_not_depend_on_the_order(values: list[float]) -> None:
    low, quarter, middle = case_percentiles(values)
    assert min(values) <= low <= quarter <= middle <= max(values)
    assert case_percentiles(values[::-1]) == (low, quarter, middle)


def test_spread_by_hand() -> None:
    spread = order_spread([0.5, 0.7, 0.6])
    assert spread.sd == pytest.approx(0.1)
    # Quantiles of χ² with 2 degrees of freedom are −2 ln(1 − p).
    upper, lower = -2 * math.log(0.025), -2 * math.log(0.975)
    assert spread.lower == pytest.approx(0.1 * math.sqrt(2 / upper))
    assert spread.upper == pytest.approx(0.1 * math.sqrt(2 / lower))


def test_one_order_has_no_spread() -> None:
    for values in ([], [0.5], [0.5, math.nan]):
        assert all(map(math.isnan, order_spread(values)))


@given(scores, st.floats(-1, 1), st.floats(0.5, 2))
def test_spread_follows_the_scale_and_no_shift(
    values: list[float], shift: float, scale: float
) -> None:
    spread = order_spread(values)
    assert spread.lower <= spread.sd <= spread.upper
    moved = order_spread(np.array(values) * scale + shift)
    assert moved == pytest.approx(np.array(spread) * scale, abs=1e-6)


def test_the_interval_covers_the_spread_of_normal_orders() -> None:
    drawn = np.random.default_rng(0).normal(size=(2000, 6))
    covered = [spread.lower <= 1 <= spread.upper for spread in map(order_spread, drawn)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)
