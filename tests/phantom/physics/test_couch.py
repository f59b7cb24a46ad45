import numpy as np
import pytest

from cl_seg.phantom.physics.couch import DENSITY, couch_fraction
from cl_seg.scans.store import Grid

GRID = Grid(200, 2.0)


def round_body():
    axis = (np.arange(200) - 99.5) * 2
    return (np.hypot(axis[None], axis[:, None]) - 100).astype(np.float32)


@pytest.mark.parametrize("shape", ["curved", "flat"])
def test_a_table_lies_below_the_body(shape):
    amount = couch_fraction(shape, round_body(), GRID)
    assert amount.max() == pytest.approx(DENSITY, abs=0.2)
    assert not amount[round_body() < 0].any()
    assert not amount[:100].any()
    assert amount[:, 100].any()


def test_no_table():
    assert not couch_fraction("none", round_body(), GRID).any()
