"""Areas in cm² and their errors."""

import math

import pytest

from cl_seg.metrics.muscle import area_cm2, area_error_percent


def test_area():
    assert area_cm2(2500, 2.0) == pytest.approx(100)  # 50 × 50 pixels of 2 mm are 10 × 10 cm


def test_error():
    assert area_error_percent(110, 100) == pytest.approx(10)
    assert area_error_percent(0, 40) == -100
    assert math.isnan(area_error_percent(5, 0))
