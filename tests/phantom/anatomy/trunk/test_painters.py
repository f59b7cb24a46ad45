from functools import cache

import numpy as np
import pytest

from cl_seg.phantom.anatomy.body import Preparation, draw_body
from cl_seg.phantom.anatomy.slices import paint, paint_slab
from cl_seg.phantom.anatomy.trunk.outline import TRUNK
from cl_seg.phantom.anatomy.trunk.painters import PAINTERS, paint_trunk
from cl_seg.phantom.anatomy.trunk.positions import VERTEBRAE
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid

COARSE = Grid(150, 3.0)
MUSCLE, LIVER = 1, 2
PLAIN = Preparation()


def slice_at(body, height, grid=COARSE):
    return paint(body, TRUNK, grid, height * body.scale)


def area_cm2(anatomy, label):
    return (anatomy.labels == label).sum() * anatomy.grid.spacing_mm**2 / 100


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("index", range(3))
def test_the_liver_ends_below_and_above(index):
    body = draw_body(0, f"ends-{index}")
    habitus = paint_trunk(body, COARSE, 0.0, PLAIN).habitus
    dome, tip = habitus.right_dome, habitus.tip
    places = (tip - 12, tip + 25, dome - 40, dome - 8, dome + 8)
    below, low, wide, high, above = (area_cm2(slice_at(body, h), LIVER) for h in places)
    assert below == above == 0
    assert 0 < low < wide
    assert 0 < high < 0.7 * wide
    assert 80 < wide < 320


def test_lungs_lie_above_the_diaphragm_only():
    body = draw_body(0, "lungs-0")
    chest = []
    for height in (-105.0, 0.0, 50.0, 125.0, 190.0):
        trunk = paint_trunk(body, COARSE, height * body.scale, PLAIN)
        everywhere = trunk.canvas.everywhere
        above = (trunk.below.on(everywhere) > 1) & (trunk.cavity_distance.on(everywhere) < -1)
        chest.append(above.sum() * COARSE.spacing_mm**2 / 100)
    assert chest[:3] == [0, 0, 0]
    assert 5 < chest[3] < 0.6 * chest[4]
    assert chest[4] > 150


@pytest.mark.parametrize("index", range(4))
def test_kidneys_and_muscle_share_no_pixel(index):
    body = draw_body(0, f"kidneys-{index}")
    anatomy = slice_at(body, 40.0)
    kidney = sum(anatomy.fractions[TISSUES.index(t)] for t in ("renal_cortex", "renal_medulla"))
    assert (kidney > 0.5).any()
    assert not ((kidney > 0.5) & (anatomy.labels == MUSCLE)).any()


# Share of the area at L3: 0.57 at T10 in women (doi 10.1097/RLI.0000000000001012), the rest are
# engineering values; in the pelvis gluteal muscles add to it.
BOUNDS = {
    "S1": (1.1, 1.6), "L5": (0.85, 1.2), "L4": (0.9, 1.15), "L2": (0.75, 1.0), "L1": (0.6, 0.9),
    "T12": (0.55, 0.8), "T10": (0.45, 0.68), "T9": (0.45, 0.72),
}  # fmt: skip


@cache
def area_at_l3(body):
    return area_cm2(slice_at(body, VERTEBRAE["L3"]), MUSCLE)


@pytest.mark.parametrize("name", BOUNDS)
def test_muscle_has_a_plausible_area(name):
    low, high = BOUNDS[name]
    shares = []
    for index in range(2):
        body = draw_body(0, f"muscle-{index}")
        third = area_at_l3(body)
        here = area_cm2(slice_at(body, VERTEBRAE[name]), MUSCLE)
        assert third == pytest.approx(body.muscle_cm2, rel=0.2)
        shares.append(here / third)
    assert low < np.mean(shares) < high


@pytest.mark.parametrize("height", [-100.0, -40.0, 20.0, 90.0, 150.0])
def test_neighbouring_slices_belong_together(height):
    body = draw_body(0, "neighbours-1")
    one, other = (slice_at(body, h).labels for h in (height, height + 5))
    # Ribs fall to the front: within 5 mm they move by 13 mm along the wall.
    assert dice(one == MUSCLE, other == MUSCLE) > (0.85 if height < 50 else 0.65)
    if height > 50:
        assert dice(one == LIVER, other == LIVER) > 0.8  # it narrows to its dome


def test_a_slice_can_be_painted_again():
    body = draw_body(3, "again")
    one, other = (paint_slab(body, TRUNK, 3.0, grid=COARSE, z_mm=80.0) for _ in range(2))
    np.testing.assert_array_equal(one.fractions, other.fractions)
    np.testing.assert_array_equal(one.labels, other.labels)


@pytest.mark.parametrize("name", ["S1", "L5", "L2", "T12", "T9"])
def test_fractions_sum_to_one_and_labels_agree_with_them(name):
    anatomy = slice_at(draw_body(2, "sum"), VERTEBRAE[name])
    np.testing.assert_allclose(anatomy.fractions.sum(axis=0), 1, atol=1e-4)
    assert anatomy.fractions.min() >= -1e-6
    muscle = anatomy.fractions[TISSUES.index("muscle")]
    assert muscle[anatomy.labels == MUSCLE].mean() > 0.7
    assert not anatomy.labels[anatomy.surface > 1].any()


def test_another_grid_is_the_same_body():
    body = draw_body(1, "grid")
    coarse, fine = (slice_at(body, 120.0, grid) for grid in (COARSE, Grid(300, 1.5)))
    for label in (MUSCLE, LIVER):
        assert area_cm2(coarse, label) == pytest.approx(area_cm2(fine, label), rel=0.04)


def test_painters_have_streams_of_their_own():
    names = [painter.__name__ for painter in PAINTERS]
    assert len(set(names)) == len(names)


def test_arms_and_implants_can_be_there():
    body, wide = draw_body(0, "prepared"), Grid(190, 3.0)
    plain, prepared = (
        paint(body, TRUNK, wide, 0.0, Preparation(arms_lowered=given, implants=given))
        for given in (False, True)
    )
    air, metal = TISSUES.index("air"), TISSUES.index("titanium")
    assert prepared.fractions[air].sum() < plain.fractions[air].sum()
    assert prepared.fractions[metal].any() and not plain.fractions[metal].any()
