import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cl_seg.phantom.anatomy.canvas import (
    Canvas,
    Ellipse,
    intersection,
    random_field,
    shell,
    union,
    wobble,
)
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid

GRID = Grid(200, 2.0)


def plain_canvas(grid=GRID):
    """A canvas without warp."""
    canvas = Canvas(grid, np.random.default_rng(0))
    axis = ((np.arange(grid.size) - (grid.size - 1) / 2) * grid.spacing_mm).astype(np.float32)
    canvas.x, canvas.y = np.meshgrid(axis, axis)
    return canvas


@pytest.mark.parametrize("length", [1.6, 4.0, 30.0])
def test_a_field_has_unit_variance(length):
    draws = [random_field(np.random.default_rng(s), GRID, length) for s in range(20)]
    assert np.mean([d.mean() for d in draws]) == pytest.approx(0, abs=0.15)
    assert np.mean([(d**2).mean() for d in draws]) == pytest.approx(1, abs=0.15)


def test_a_field_does_not_depend_on_the_grid():
    fields = [
        random_field(np.random.default_rng(1), grid, 9.0)
        for grid in (Grid(100, 4.0), Grid(400, 1.0))
    ]
    blocks = fields[1].reshape(100, 4, 100, 4).mean(axis=(1, 3))
    assert np.corrcoef(fields[0].ravel(), blocks.ravel())[0, 1] > 0.995


def test_a_circle_has_its_signed_distance():
    canvas = plain_canvas()
    shape = canvas.shape(Ellipse((20, -10), (50, 50)))
    exact = np.hypot(canvas.x - 20, canvas.y + 10) - 50
    near = np.abs(exact) < 20
    np.testing.assert_allclose(shape[near], exact[near], atol=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(20, 80), st.floats(20, 80), st.floats(0, 3.1))
@example(20.0, 25.0, 0.0)
def test_an_ellipse_has_its_area(a, b, angle):
    canvas = plain_canvas()
    canvas.paint(canvas.shape(Ellipse((3, 4), (a, b), angle)), {"liver": 1.0}, 2)
    area = canvas.fraction("liver").sum() * GRID.spacing_mm**2
    assert area == pytest.approx(np.pi * a * b, rel=0.02)
    # Whole pixels can be wrong along the edge only: by a quarter of a pixel all around, at most.
    edge = np.pi * (a + b) * GRID.spacing_mm
    assert (canvas.labels == 2).sum() * GRID.spacing_mm**2 == pytest.approx(area, abs=edge / 4)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_fractions_always_sum_to_one(seed):
    rng = np.random.default_rng(seed)
    canvas = Canvas(Grid(60, 6.0), rng)
    for _ in range(5):
        share = rng.uniform()
        outline = Ellipse(
            tuple(rng.uniform(-150, 150, 2)), tuple(rng.uniform(5, 80, 2)), rng.uniform(0, 3),
            wobble=wobble(rng, 0.1),
        )  # fmt: skip
        first, second = rng.choice(TISSUES, 2, replace=False)
        canvas.paint(canvas.shape(outline), {first: share, second: 1 - share})
    np.testing.assert_allclose(canvas.fractions.sum(axis=0), 1, atol=1e-5)


def test_a_label_of_none_keeps_labels():
    canvas = plain_canvas()
    disk = canvas.shape(Ellipse((0, 0), (50, 50)))
    canvas.paint(disk, {"muscle": 1.0}, 1)
    canvas.paint(disk, {"adipose": 1.0}, None)
    assert canvas.labels[100, 100] == 1
    assert canvas.fraction_at("adipose", 0, 0) == 1
    assert canvas.fraction_at("air", 80, 80) == 1


def test_shapes_combine_as_sets():
    canvas = plain_canvas()
    left, right = (canvas.shape(Ellipse((x, 0), (40, 40))) for x in (-20, 20))
    both = (left < 0) & (right < 0)
    np.testing.assert_array_equal(intersection(left, right) < 0, both)
    np.testing.assert_array_equal(union(left, right) < 0, (left < 0) | (right < 0))
    np.testing.assert_array_equal(shell(left, 6.0) < 0, np.abs(left) < 3)
