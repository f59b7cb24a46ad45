"""Contours and their distances are, bit for bit, those of scipy's erosion and distance maps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cl_seg.metrics.contours import contour, contour_distances, edge_pixels

from . import plain_surfaces

stacks = array_shapes(min_dims=3, max_dims=3, max_side=9).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_a_contour_is_what_an_erosion_takes_away(mask: np.ndarray) -> None:
    assert np.array_equal(contour(mask), plain_surfaces.contour(mask))


@given(arrays(np.uint8, (2, 6, 7), elements=st.integers(0, 3)))
def test_edges_of_all_labels_are_the_contours_of_each(labels: np.ndarray) -> None:
    for label in range(4):
        of_label = np.stack([plain_surfaces.contour(one == label) for one in labels])
        assert np.array_equal(edge_pixels(labels) & (labels == label), of_label)


@given(stacks)
def test_distances_are_those_of_a_distance_map(pair: tuple[np.ndarray, np.ndarray]) -> None:
    of, to = pair
    for distances, one, other in zip(contour_distances(of, to), of, to, strict=True):
        assert len(distances) == one.sum()
        if other.any():
            expected = plain_surfaces.directed_distances(one, other)
            assert np.array_equal(distances, expected)


def test_far_contours_and_other_slices() -> None:
    of, to = np.zeros((2, 3, 300, 500), bool)
    of[:2, 0, 0] = to[0, 299, 499] = to[2] = True
    there, _, none = contour_distances(of, to)
    assert there == np.hypot(299, 499) and not len(none)
