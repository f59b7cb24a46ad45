import numpy as np

from experiments.simulator.validation.checks import Check, Curve, Law, curves


def test_deviation_is_a_difference_or_a_fraction():
    assert Check(Law.HU, "a", 12.0, 10.0, 3, "HU").deviation == 2
    assert Check(Law.DOSE, "a", 12.0, 10.0, 0.1, "HU", "relative").deviation == 0.2
    assert Check(Law.HU, "a", -12.0, -10.0, 3, "HU", "relative").deviation == -0.2


def test_a_check_passes_up_to_its_tolerance_on_both_sides():
    passed = [Check(Law.HU, "a", m, 0, 2, "HU").passed for m in (-2.1, -2.0, 2.0, 2.1)]
    assert passed == [False, True, True, False]
    assert Check(Law.HU, "a", float("nan"), 0, 2, "HU").passed is False
    assert Check(Law.HU, "a", 99, 0, None, "HU").passed is None


def test_curves_of_a_law_come_once_in_order():
    first, second = (Curve(name, *[np.zeros(2)] * 3) for name in "ab")
    checks = [Check(Law.HU, "x", 0, 0, 1, "HU", curve=c) for c in (first, first, second, None)]
    assert curves(checks, Law.HU) == [first, second]
    assert curves(checks, Law.DOSE) == []
