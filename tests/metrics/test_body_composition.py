"""Areas in cm² and their errors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.metrics.body_composition import (
    area_bias_percent,
    area_cm2,
    area_error_percent,
    low_attenuation_share,
    mean_hu,
    skeletal_muscle_index,
)


def test_area():
    assert area_cm2(2500, 2.0) == pytest.approx(100)  # 50 × 50 pixels of 2 mm are 10 × 10 cm


def test_error():
    assert area_error_percent(110, 100) == pytest.approx(10)
    assert area_error_percent(0, 40) == -100
    assert math.isnan(area_error_percent(5, 0))


def test_bias_by_hand():
    assert area_bias_percent([110, 30, 5], [100, 40, 0]) == pytest.approx((10 - 25) / 2)
    assert math.isnan(area_bias_percent([5.0], [0.0])) and math.isnan(area_bias_percent([], []))


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0.1, 300)), min_size=1))
def test_bias_is_the_mean_of_errors_in_whatever_unit(pairs):
    found, true = np.array(pairs).T
    errors = [area_error_percent(*pair) for pair in pairs]
    assert area_bias_percent(found, true) == pytest.approx(np.mean(errors), abs=1e-9)
    assert area_bias_percent(found * 3, true * 3) == pytest.approx(np.mean(errors), abs=1e-6)
    assert area_bias_percent(true, true) == 0


def test_hu_of_muscle_and_its_low_attenuation_share():
    hu = np.array([-100.0, -29, 0, 29, 30, 60])
    muscle = np.array([False, True, True, True, True, True])
    assert mean_hu(hu, muscle) == pytest.approx(18)
    assert low_attenuation_share(hu, muscle) == pytest.approx(3 / 5)
    assert np.isnan(mean_hu(hu, ~muscle & False)) and np.isnan(low_attenuation_share(hu, hu > 99))


def test_skeletal_muscle_index():
    assert skeletal_muscle_index(160.0, 2.0) == pytest.approx(40)
    with pytest.raises(ValueError, match="positive"):
        skeletal_muscle_index(160.0, 0.0)
