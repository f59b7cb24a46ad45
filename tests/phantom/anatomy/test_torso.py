import numpy as np
import pytest

from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.anatomy.contours import area_cm2
from cl_seg.phantom.anatomy.torso import SUBCUTANEOUS, lay_out
from cl_seg.scans.store import Grid

GRID = Grid(280, 1.6)


def test_a_circle_has_its_area():
    assert area_cm2(np.full(721, 100.0)) == pytest.approx(np.pi * 100)


@pytest.mark.parametrize("index", range(6))
def test_the_fat_under_the_skin_has_the_area_the_body_was_drawn_with(index):
    body = draw_body(0, f"torso-{index}")
    torso = lay_out(body, "L3", GRID, 0.0)
    area = (torso.regions() == SUBCUTANEOUS).sum() * GRID.spacing_mm**2 / 100
    # With the skin, 1.6 mm of a circumference of about a metre, less what the table flattens.
    assert area == pytest.approx(body.sat_cm2 + 10, rel=0.1, abs=10)


def test_places_inside_the_wall():
    torso = lay_out(draw_body(0, "places"), "L3", GRID, 0.0)
    x, y = torso.wall_point(90, 10)
    assert x == pytest.approx(torso.wall_half_width - 10)
    assert y == pytest.approx(0, abs=1e-6)
    assert torso.wall_point(0, 0)[1] == pytest.approx(torso.top)
    assert torso.wall_point(-90, 0)[0] < 0


def test_regions_are_those_of_the_middle_height():
    body, heights = draw_body(0, "heights"), (-6.0, 0.0, 9.0)
    thick, thin = (lay_out(body, "L3", GRID, z) for z in (heights, heights[1]))
    whole = [torso.canvas.over_grid(torso.regions(), 0) for torso in (thick, thin)]
    np.testing.assert_array_equal(*whole)
