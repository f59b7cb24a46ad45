import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_seg.phantom.resampling import overlap, resample, resample_labels
from cl_seg.scans.store import Grid


@settings(max_examples=30, deadline=None)
@given(
    st.integers(20, 70), st.floats(0.5, 3), st.integers(20, 70), st.floats(0.5, 3),
    st.floats(-1000, 1000),
)  # fmt: skip
def test_a_constant_stays_and_outside_is_padding(size, spacing, new_size, new_spacing, value):
    source, target = Grid(size, spacing), Grid(new_size, new_spacing)
    out = resample(np.full((size, size), value, np.float32), source, target, -1024)
    assert out.shape == (new_size, new_size)
    assert out.min() >= min(value, -1024) - 0.1
    centre = (np.arange(new_size) - (new_size - 1) / 2) * new_spacing
    inside = np.abs(centre) < size * spacing / 2 - max(spacing, new_spacing)
    np.testing.assert_allclose(out[np.ix_(inside, inside)], value, atol=0.05)
    far = np.abs(centre) > size * spacing / 2 + max(spacing, new_spacing)
    assert (out[far] == -1024).all()


def test_the_same_grid_changes_nothing():
    image = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    np.testing.assert_allclose(resample(image, Grid(40, 0.8), Grid(40, 0.8), 0), image, atol=1e-5)


def test_averaging_has_no_aliasing():
    stripes = np.tile(np.array([0, 1] * 40, np.float32), (80, 1))
    coarse = resample(stripes, Grid(80, 1.0), Grid(36, 2.0), 0)
    np.testing.assert_allclose(coarse, 0.5, atol=1e-6)


def test_upwards_is_linear():
    ramp = np.tile(np.arange(20, dtype=np.float32), (20, 1))
    fine = resample(ramp, Grid(20, 1.0), Grid(40, 0.25), 0)
    np.testing.assert_allclose(np.diff(fine, axis=1), 0.25, atol=1e-4)


def test_a_label_takes_the_pixels_it_mostly_covers():
    labels = np.zeros((80, 80), np.uint8)
    labels[20:60, 20:60] = 2
    out = resample_labels(labels, Grid(80, 1.0), Grid(32, 2.0))
    assert set(np.unique(out)) == {0, 2}
    assert (out == 2).sum() * 4 == pytest.approx(1600, rel=0.01)
    assert out[0, 0] == 0


def test_labels_outside_the_source_are_background():
    out = resample_labels(np.ones((10, 10), np.uint8), Grid(10, 1.0), Grid(20, 1.0))
    assert out.sum() == 100


def test_rows_sum_to_one_inside():
    matrix = overlap(Grid(100, 0.7), Grid(30, 1.6))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)
