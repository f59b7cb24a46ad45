import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.phantom.anatomy.field import Samples, in_strips, largest, moved, smallest_box
from cl_seg.phantom.anatomy.random_field import RandomField
from cl_seg.scans.store import Grid

GRID = Grid(120, 2.5)
WINDOW = (slice(20, 100), slice(30, 110))
WHOLE = (slice(0, 80), slice(0, 80))
HEIGHTS = np.array([-2.0, 0.0, 1.5], np.float32)
VALUES = np.random.default_rng(0).normal(size=(3, 40, 50)).astype(np.float32)


def box(top, height, left, width):
    return slice(top, top + height), slice(left, left + width)


BOXES = st.builds(
    box, st.integers(0, 20), st.integers(1, 20), st.integers(0, 20), st.integers(1, 30)
)


def random_field(length=9.0):
    return RandomField(np.random.default_rng(1), GRID, WINDOW, length, HEIGHTS)


@given(BOXES)
def test_a_box_of_an_expression_is_that_of_its_values(part):
    field, other = Samples(VALUES), Samples(VALUES[:, ::-1])
    found = np.clip(2 - abs(field) / 3, 0, 1) * other + largest(field, other, -0.5) ** 2
    expected = np.clip(2 - abs(VALUES) / 3, 0, 1) * VALUES[:, ::-1]
    expected = expected + np.maximum(np.maximum(VALUES, VALUES[:, ::-1]), -0.5) ** 2
    np.testing.assert_allclose(found.on(part), expected[:, *part], rtol=1e-5, atol=1e-6)
    assert found.on(part).dtype == np.float32


def test_numbers_per_height_are_numbers_of_their_height():
    shift = np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    np.testing.assert_allclose((Samples(VALUES) + shift).on(box(2, 3, 4, 5)),
                               VALUES[:, 2:5, 4:9] + shift, rtol=1e-5)  # fmt: skip


def test_nothing_is_computed_before_it_is_read():
    field = random_field()
    field._compute = None
    expression = 1 - np.clip(field, 0, 1)
    with pytest.raises(TypeError):
        expression.on(WHOLE)


@pytest.mark.parametrize("length", [2.0, 9.0, 45.0])
def test_boxes_of_a_random_field_are_parts_of_one_field_in_any_order(length):
    whole = random_field(length).on(WHOLE)
    field = random_field(length)
    for part in (box(5, 10, 3, 30), box(40, 40, 0, 80), box(0, 1, 79, 1), box(33, 20, 11, 7)):
        np.testing.assert_allclose(field.on(part), whole[:, *part], atol=1e-5)


def test_a_window_does_not_change_a_random_field():
    grid = slice(0, GRID.size), slice(0, GRID.size)
    all_of_it = RandomField(np.random.default_rng(1), GRID, grid, 9.0, HEIGHTS).on(grid)
    np.testing.assert_allclose(random_field().on(WHOLE), all_of_it[:, *WINDOW], atol=1e-5)


@given(BOXES)
def test_strips_change_no_value(part):
    assert in_strips(part, 3, lambda strip: VALUES[:, *strip]).tolist() == VALUES[:, *part].tolist()


def test_many_values_are_computed_in_several_strips():
    read = []
    values = in_strips(box(0, 700, 0, 700), 2, lambda strip: read.append(strip) or np.ones(1))
    assert len(read) > 2
    assert (values == 1).all()


@given(BOXES)
def test_the_smallest_box_holds_all_pixels_and_touches_them(part):
    inside = np.zeros((90, 90), bool)
    inside[part] = True
    found = smallest_box(inside)
    assert inside[found].size == inside.sum()
    assert inside[found].all()


def test_a_part_of_a_part_is_a_part_of_the_whole():
    assert moved(box(1, 3, 2, 9), box(40, 60, 7, 30)) == box(41, 3, 9, 9)
