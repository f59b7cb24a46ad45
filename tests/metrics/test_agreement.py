"""Agreement against published and closed-form values."""

import numpy as np
import pytest

from cl_seg.metrics.agreement import bland_altman, intraclass_correlation

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def test_the_published_example_of_shrout_and_fleiss() -> None:
    assert intraclass_correlation(SHROUT_FLEISS) == pytest.approx(0.29, abs=0.005)


def test_perfect_agreement_and_a_constant_offset() -> None:
    truth = np.arange(10.0)
    assert intraclass_correlation(np.stack([truth, truth], axis=1)) == pytest.approx(1)
    shifted = intraclass_correlation(np.stack([truth, truth + 5], axis=1))
    assert shifted == pytest.approx(np.var(truth, ddof=1) / (np.var(truth, ddof=1) + 25 / 2))


def test_too_little_to_agree_on() -> None:
    assert np.isnan(intraclass_correlation(np.ones((1, 2))))
    assert np.isnan(intraclass_correlation(np.ones((3, 2))))
    assert np.isnan(bland_altman(np.array([]), np.array([])).bias)
    assert np.isnan(bland_altman(np.ones(1), np.zeros(1)).upper)


def test_limits_are_1_96_standard_deviations_around_the_bias() -> None:
    reference = np.array([100.0, 120, 140, 90])
    found = bland_altman(reference + np.array([1.0, 3, 1, 3]), reference)
    spread = np.std([1, 3, 1, 3], ddof=1)
    assert found.bias == pytest.approx(2)
    assert (found.lower, found.upper) == pytest.approx((2 - 1.96 * spread, 2 + 1.96 * spread))
