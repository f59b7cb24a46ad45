import numpy as np
import pytest

from cl_seg.phantom.anatomy.body import Preparation, draw_body
from cl_seg.phantom.anatomy.trunk.outline import lay_out_trunk
from cl_seg.phantom.anatomy.trunk.solids import Solid, curved, cut, cut_tube
from cl_seg.scans.store import Grid

GRID = Grid(225, 2.0)
STEP = 4.0


def area_mm2(shape, height=0):
    return (shape.distance[height] < 0).sum() * GRID.spacing_mm**2


@pytest.fixture(scope="module")
def trunk():
    body = draw_body(0, "solids-0")
    heights = np.arange(-40.0, 41.0, STEP)
    return lay_out_trunk(body, GRID, heights * body.scale, Preparation())


def test_an_ellipsoid_has_its_volume(trunk):
    solid = Solid((5.0, 10.0), (30.0, 20.0), 4.0, 25.0)
    volume = sum(area_mm2(cut(trunk, solid), i) for i in range(len(trunk.heights))) * STEP
    assert volume == pytest.approx(4 / 3 * np.pi * 30 * 20 * 25, rel=0.05)


def test_nothing_is_seen_beyond_the_ends(trunk):
    shape = cut(trunk, Solid((0.0, 0.0), (30.0, 20.0), 0.0, 15.0, end_power=6.0))
    seen = [area_mm2(shape, i) > 0 for i in range(len(trunk.heights))]
    assert seen == (np.abs(trunk.heights.ravel()) < 15).tolist()


def test_a_tube_is_cut_as_often_as_it_passes(trunk):
    thin = lay_out_trunk(trunk.body, GRID, 0.0, Preparation())
    bend = curved([(-40, 0, -30, 8), (-40, 0, 30, 8), (40, 0, 30, 8), (40, 0, -30, 8)])
    tubes = cut_tube(thin, bend)
    assert len(tubes) == 2
    for tube in tubes:
        assert area_mm2(tube) == pytest.approx(np.pi * 8**2, rel=0.15)


def test_a_path_keeps_its_points():
    path = curved([(0, 0, 0, 1), (3, 4, 0, 2)], step_mm=1.0)
    np.testing.assert_allclose(path[[0, -1]], [(0, 0, 0, 1), (3, 4, 0, 2)])
    assert len(path) == 6
