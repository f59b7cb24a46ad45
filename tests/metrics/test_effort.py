"""What is left to correct, on shapes with known contours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from cl_seg.metrics.contours import contour
from cl_seg.metrics.effort import added_path_length, area_to_correct


def square(start: int, stop: int) -> np.ndarray:
    mask = np.zeros((20, 20), bool)
    mask[start:stop, start:stop] = True
    return mask


def test_a_square_has_four_sides() -> None:
    assert contour(square(5, 15)).sum() == 4 * 10 - 4


def test_nothing_to_do_and_everything_to_do() -> None:
    truth, nothing = square(5, 15), np.zeros((20, 20), bool)
    assert added_path_length(truth, truth, 2.0) == 0 == area_to_correct(truth, truth, 2.0)
    assert added_path_length(nothing, truth, 2.0) == 36 * 2.0
    assert area_to_correct(nothing, truth, 2.0) == pytest.approx(100 * 0.04)
    assert added_path_length(truth, nothing, 2.0) == 0, "nothing to draw, all to take away"


def test_one_side_moved() -> None:
    truth, proposal = square(5, 15), square(5, 15)
    proposal[:, 14] = False
    assert added_path_length(proposal, truth, 1.0) == 10
    assert area_to_correct(proposal, truth, 1.0) == pytest.approx(0.1)


masks = arrays(bool, (12, 12))


@settings(max_examples=50, deadline=None)
@given(masks, masks)
def test_bounds(proposal: np.ndarray, truth: np.ndarray) -> None:
    whole = float(contour(truth).sum())
    assert 0 <= added_path_length(proposal, truth, 1.0) <= whole
    assert area_to_correct(proposal, truth, 1.0) == area_to_correct(truth, proposal, 1.0)
