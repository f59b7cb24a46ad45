"""The slices that are shown."""

import math

import numpy as np
import pytest

from cl_seg.evaluation.examples import ranked_slices, slice_dice


def test_slices_are_ranked_by_the_mean_dice_of_their_classes():
    truth = np.zeros((4, 2, 4), np.uint8)
    truth[:3, 0] = 1
    truth[0, 1] = 2
    found = truth.copy()
    found[0, 1] = 0
    found[1, 0, 2:] = 0
    dice = slice_dice(found, truth, 2)
    assert dice == pytest.approx([0.5, 2 / 3, 1, math.nan], nan_ok=True)
    assert ranked_slices(dice) == (0, 1, 2)
    assert ranked_slices(np.full(3, math.nan)) == (0, 0, 0)
