"""Pixel counts of slices can be pooled."""

import math

import numpy as np
import pytest

from cl_seg.evaluation.pixel_counts import pixel_counts
from cl_seg.metrics.segmentation import dice_of_counts


def stack(*slices):
    return np.array(slices, np.uint8)


def test_counts_pool_pixels():
    truth, found = stack([[1, 1]], [[1, 0]]), stack([[1, 0]], [[1, 1]])
    assert dice_of_counts(**pixel_counts(found, truth, 1)) == pytest.approx(2 * 2 / 6)
    assert dice_of_counts(**pixel_counts(found, truth, 0)) == 0
    assert math.isnan(dice_of_counts(**pixel_counts(found, truth, 2)))
