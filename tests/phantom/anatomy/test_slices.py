import numpy as np
import pytest

from cl_seg.phantom.anatomy.body import Preparation, draw_body
from cl_seg.phantom.anatomy.slices import LEVELS, PAINTERS, paint, paint_slab
from cl_seg.phantom.anatomy.torso import lay_out
from cl_seg.phantom.tissues import TISSUES
from cl_seg.scans.store import Grid
from experiments.simulator.validation.composition import composition

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
    parenchyma = sum(
        anatomy.fractions[TISSUES.index(t)] for t in ("liver", "vein", "portal_vein", "adipose")
    )
    assert parenchyma[liver].mean() > 0.97
    muscle = anatomy.fractions[TISSUES.index("muscle")]
    assert muscle[anatomy.labels == 1].mean() > 0.75
    assert not anatomy.labels[anatomy.surface > 1].any()


@pytest.mark.parametrize("level", LEVELS)
def test_organs_have_streams_of_their_own(level):
    names = [painter.__name__ for painter in PAINTERS[level]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("level", LEVELS)
def test_height_and_grid_change_no_stream(level):
    for name in ("heights-0", "heights-1", "heights-2"):
        body = draw_body(6, name)
        torsos = [
            lay_out(body, level, grid, z)
            for grid, z in ((Grid(150, 3.0), 0.0), (Grid(150, 3.0), 9.0), (Grid(225, 2.0), -9.0))
        ]
        for painter in PAINTERS[level]:
            states = []
            for torso in torsos:
                rng = body.random_generator(level, painter.__name__)
                painter(torso, rng)
                states.append(rng.bit_generator.state)
            assert states[0] == states[1] == states[2], painter.__name__


def test_leaving_an_organ_out_moves_no_other(monkeypatch):
    body = draw_body(0, "organ")
    whole = paint(body, "L3", COARSE)
    kept = tuple(p for p in PAINTERS["L3"] if p.__name__ != "lumbar_back")
    monkeypatch.setitem(PAINTERS, "L3", kept)
    without = paint(body, "L3", COARSE)
    np.testing.assert_array_equal(whole.labels == 2, without.labels == 2)
    assert areas_cm2(without)[1] < 0.8 * areas_cm2(whole)[1]


def test_lean_labels_leave_out_what_is_more_fat_than_muscle():
    anatomy = paint(draw_body(2, "lean"), "L3", COARSE)
    lean = anatomy.lean_labels()
    changed = lean != anatomy.labels
    assert 0.01 < changed.sum() / (anatomy.labels == 1).sum() < 0.3
    assert not lean[changed].any()
    fat, muscle = (anatomy.fractions[TISSUES.index(t)] for t in ("adipose", "muscle"))
    assert (fat[changed] > muscle[changed]).all()


@pytest.mark.parametrize(("thickness", "cuts"), [(1.0, 3), (5.0, 5)])
def test_a_slab_is_the_mean_of_its_heights(thickness, cuts):
    body = draw_body(4, "slab")
    heights = 7 + thickness * ((np.arange(cuts) + 0.5) / cuts - 0.5)
    expected = [paint(body, "liver", COARSE, z) for z in heights]
    slab = paint_slab(body, "liver", thickness, grid=COARSE, z_mm=7.0)
    mean = np.mean([cut.fractions for cut in expected], axis=0)
    np.testing.assert_allclose(slab.fractions, mean, atol=1e-5)
    agreed = np.all([cut.labels == expected[0].labels for cut in expected], axis=0)
    np.testing.assert_array_equal(slab.labels[agreed], expected[0].labels[agreed])


def test_neighbouring_slices_differ_and_belong_together():
    body = draw_body(4, "neighbours")
    here, near, far = (paint_slab(body, "L3", 1.0, grid=COARSE, z_mm=z) for z in (0, 1, 12))
    difference = [np.abs(other.fractions - here.fractions).sum() for other in (near, far)]
    assert 0 < difference[0] < 0.7 * difference[1]


def test_implants_are_metal_in_the_spine():
    body = draw_body(4, "implants")
    plain, fused = (
        paint(body, "L3", COARSE, preparation=Preparation(implants=given))
        for given in (False, True)
    )
    metal = TISSUES.index("titanium")
    assert not plain.fractions[metal].any()
    assert 1 < fused.fractions[metal].sum() * 0.0225 < 8  # cm²


@pytest.mark.parametrize(("level", "area"), [("L3", 35), ("liver", 60)])
def test_lowered_arms_lie_beside_the_trunk_and_are_not_labelled(level, area):
    body = draw_body(4, "arms")
    wide = Grid(380, 1.5)
    plain, lowered = (
        paint(body, level, wide, preparation=Preparation(arms_lowered=given))
        for given in (False, True)
    )
    trunk = plain.surface < 1
    inside = plain.surface < -2
    np.testing.assert_array_equal(plain.labels, lowered.labels)
    air = TISSUES.index("air")
    np.testing.assert_allclose(plain.fractions[:, inside], lowered.fractions[:, inside], atol=1e-5)
    arms = (lowered.fractions[air] < 0.5) & ~trunk
    assert 0.5 * area < arms.sum() * 0.0225 / 2 < 2.5 * area  # cm², each
    assert (lowered.surface[arms] < 2.5).all()


def test_who_drank_has_bright_bowel():
    body, oral = draw_body(4, "drank"), TISSUES.index("oral_contrast")
    amounts = [
        paint(body, "liver", COARSE, preparation=Preparation(oral_contrast=given)).fractions[oral]
        for given in (False, True)
    ]
    assert not amounts[0].any() and amounts[1].sum() > 100


@pytest.mark.slow
def test_areas_of_adults_are_those_of_patients():
    # Medians of muscle, SAT and VAT in cm²: doi 10.1155/2023/1047314.
    bodies = [draw_body(0, f"adult-{i:04d}") for i in range(200)]
    measured = [composition(paint(body, "L3", COARSE)) for body in bodies]
    for male, expected in ((True, (148, 148, 191)), (False, (104, 263, 108))):
        areas = [
            (m.muscle_cm2, m.sat_cm2, m.vat_cm2)
            for body, m in zip(bodies, measured, strict=True)
            if body.male is male
        ]
        np.testing.assert_allclose(np.median(areas, axis=0), expected, rtol=0.10)
