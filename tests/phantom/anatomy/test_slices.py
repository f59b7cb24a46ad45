import numpy as np
import pytest

from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.anatomy.slices import LEVELS, PAINTERS, paint
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid

COARSE = Grid(300, 1.5)


def areas_cm2(anatomy):
    return np.bincount(anatomy.labels.ravel(), minlength=3) * anatomy.grid.spacing_mm**2 / 100


@pytest.mark.parametrize("level", LEVELS)
def test_another_grid_is_the_same_body(level):
    body = draw_body(1, "grid")
    coarse, fine = (areas_cm2(paint(body, level, grid)) for grid in (COARSE, Grid(600, 0.75)))
    assert coarse[1] == pytest.approx(fine[1], rel=0.02)
    assert coarse[2] == pytest.approx(fine[2], rel=0.02, abs=0.3)


@pytest.mark.parametrize("level", LEVELS)
def test_fractions_sum_to_one_and_labels_agree_with_them(level):
    anatomy = paint(draw_body(2, "sum"), level, COARSE)
    np.testing.assert_allclose(anatomy.fractions.sum(axis=0), 1, atol=1e-4)
    assert anatomy.fractions.min() >= -1e-6
    liver = anatomy.labels == 2
    parenchyma = sum(anatomy.fractions[TISSUES.index(t)] for t in ("liver", "vein", "adipose"))
    assert parenchyma[liver].mean() > 0.97
    muscle = anatomy.fractions[TISSUES.index("muscle")]
    assert muscle[anatomy.labels == 1].mean() > 0.75
    assert not anatomy.labels[anatomy.surface > 1].any()


@pytest.mark.parametrize("level", LEVELS)
def test_organs_have_streams_of_their_own(level):
    names = [painter.__name__ for painter in PAINTERS[level]]
    assert len(set(names)) == len(names)


def test_leaving_an_organ_out_moves_no_other(monkeypatch):
    body = draw_body(0, "organ")
    whole = paint(body, "L3", COARSE)
    kept = tuple(p for p in PAINTERS["L3"] if p.__name__ != "back")
    monkeypatch.setitem(PAINTERS, "L3", kept)
    without = paint(body, "L3", COARSE)
    np.testing.assert_array_equal(whole.labels == 2, without.labels == 2)
    assert areas_cm2(without)[1] < 0.8 * areas_cm2(whole)[1]


@pytest.mark.slow
def test_muscle_areas_at_l3_are_those_of_patients():
    # Medians 148 (men) and 104 cm² (women): doi 10.1155/2023/1047314.
    bodies = [draw_body(0, f"area-{i}") for i in range(80)]
    for male, median in ((True, 148), (False, 104)):
        areas = [areas_cm2(paint(b, "L3", COARSE))[1] for b in bodies if b.male is male]
        assert np.median(areas) == pytest.approx(median, rel=0.07)
