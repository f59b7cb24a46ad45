import numpy as np
import pytest

from cl_seg.phantom.truth import pixel_overlap_weights, truth_labels
from cl_seg.scans.store import Grid


def test_a_label_takes_the_pixels_it_mostly_covers():
    labels = np.zeros((80, 80), np.uint8)
    labels[20:60, 20:60] = 2
    out = truth_labels(labels, Grid(80, 1.0), Grid(32, 2.0))
    assert set(np.unique(out)) == {0, 2}
    assert (out == 2).sum() * 4 == pytest.approx(1600, rel=0.01)
    assert out[0, 0] == 0


def test_labels_outside_the_source_are_background():
    out = truth_labels(np.ones((10, 10), np.uint8), Grid(10, 1.0), Grid(20, 1.0))
    assert out.sum() == 100


def test_rows_sum_to_one_inside():
    matrix = pixel_overlap_weights(Grid(100, 0.7), Grid(30, 1.6))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)


def test_a_shift_moves_labels_to_the_patients_left_and_back():
    labels = np.zeros((40, 40), np.uint8)
    labels[20, 20] = 3
    out = truth_labels(labels, Grid(40, 1.0), Grid(60, 1.0), (5.0, -4.0))
    assert np.argwhere(out == 3).tolist() == [[26, 35]]
    assert out.sum() == 3


def test_labels_keep_their_values():
    labels = np.full((20, 20), 7, np.uint8)
    out = truth_labels(labels, Grid(20, 1.0), Grid(10, 2.0))
    assert (out == 7).all()
