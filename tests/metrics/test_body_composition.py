"""Areas in cm² and their errors."""

import math

import numpy as np
import pytest

from cl_seg.metrics.body_composition import (
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
