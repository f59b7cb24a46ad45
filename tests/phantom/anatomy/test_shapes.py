import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_seg.phantom.anatomy.field import Samples
from cl_seg.phantom.anatomy.shapes import FAR, Shape, tube_distance

SIZE = 80
Y, X = np.mgrid[:SIZE, :SIZE].astype(np.float32)
EVERYTHING = (slice(0, SIZE), slice(0, SIZE))


def disk(x, y, radius, box=EVERYTHING):
    return Shape(box, (np.hypot(X - x, Y - y) - radius)[None, *box])


def boxed(x, y, radius):
    low_x, low_y = (max(0, int(v - radius - 4)) for v in (x, y))
    high_x, high_y = (min(SIZE, int(v + radius + 5)) for v in (x, y))
    return disk(x, y, radius, (slice(low_y, high_y), slice(low_x, high_x)))


def inside(shape):
    return shape.on(EVERYTHING)[0] < 0


CIRCLES = st.tuples(st.floats(10, 70), st.floats(10, 70), st.floats(2, 15))


@settings(max_examples=40, deadline=None)
@given(CIRCLES, CIRCLES)
def test_boxes_change_no_set(one, other):
    for a, b in ((boxed(*one), boxed(*other)), (disk(*one), boxed(*other))):
        first, second = inside(disk(*one)), inside(disk(*other))
        np.testing.assert_array_equal(inside(a & b), first & second)
        np.testing.assert_array_equal(inside(a | b), first | second)
        edge = disk(*other).distance[0] == 0  # belongs to neither side
        np.testing.assert_array_equal(inside(a - b), first & ~second & ~edge)


def test_far_away_shapes_share_nothing():
    empty = boxed(12, 12, 5) & boxed(65, 65, 5)
    assert not inside(empty).any()
    assert (empty.on(EVERYTHING) == FAR).all()


def test_growing_and_shells():
    circle = boxed(40, 40, 10)
    np.testing.assert_array_equal(inside(circle.grown(2)), inside(disk(40, 40, 12)))
    field = np.where(X < 40, 2, 0).astype(np.float32)
    halves = np.where(X < 40, inside(disk(40, 40, 12)), inside(disk(40, 40, 10)))
    np.testing.assert_array_equal(inside(circle.grown(Samples(field[None], EVERYTHING))), halves)
    ring = inside(disk(40, 40, 11)) & ~inside(disk(40, 40, 9.001))
    for thickness in (2, Samples(np.full_like(field, 2)[None], EVERYTHING)):
        np.testing.assert_array_equal(inside(circle.shell(thickness)), ring)


def test_a_shape_over_the_grid_lies_in_a_small_box():
    whole = disk(30, 50, 8)
    boxed = Shape.over_grid(whole.distance)
    assert boxed.distance.size < whole.distance.size / 8
    np.testing.assert_array_equal(inside(boxed), inside(whole))
    assert Shape.over_grid(disk(40, 40, -5).distance).distance.size == 0


def test_a_tube_is_capsules():
    path = np.array([(20.0, 40.0, 4.0), (60.0, 40.0, 8.0)])
    distance = tube_distance(path, X, Y)
    assert distance[40, 20] == pytest.approx(-4)
    assert distance[40, 60] == pytest.approx(-8)
    assert distance[40, 40] == pytest.approx(-6)
    assert distance[20, 40] == pytest.approx(14)
    assert distance[40, 10] == pytest.approx(6)
