import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cl_seg.phantom.anatomy.trunk.positions import (
    HIGHEST,
    LOWEST,
    VERTEBRAE,
    along,
    disc_depth,
    draw_heights,
    even_heights,
)


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_slices_spread_over_the_whole_trunk(seed, count):
    heights = draw_heights(np.random.default_rng(seed), count)
    part = (HIGHEST - LOWEST) / count
    assert (np.floor((heights - LOWEST) / part).astype(int) == np.arange(count)).all()


def test_even_heights_are_the_middles_of_equal_parts():
    np.testing.assert_allclose(even_heights(2), [-40, 120])
    assert even_heights(1) == (HIGHEST + LOWEST) / 2


def test_discs_lie_between_vertebrae_and_not_in_the_sacrum():
    assert disc_depth(17.5) == pytest.approx(-4.5)
    assert (disc_depth([VERTEBRAE[name] for name in ("L4", "L3", "T10")]) > 5).all()
    assert disc_depth(-118.0) > 20


def test_tables_are_interpolated_and_go_on_at_their_ends():
    table = {"L3": 10.0, "L4": 20.0}
    np.testing.assert_allclose(along([-500, -35, -17.5, 0, 500], table), [20, 20, 15, 10, 10])
