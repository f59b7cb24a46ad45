import numpy as np
import pytest

from cl_seg.phantom.physics.basis_materials import basis_amounts
from cl_seg.phantom.profiles import load_profile
from experiments.simulator.validation.phantoms import (
    GEOMETRY,
    WHOLE,
    ZOOM,
    Ellipse,
    Insert,
    chords,
    disk,
    image,
    laboratory,
    share,
    water,
    with_slice,
)

TILTED = Ellipse(30, -20, 90, 50, 0.7)


def test_pixels_share_the_area_of_the_ellipse():
    area = share(TILTED).sum(dtype=float) * WHOLE.object_mm**2
    assert area == pytest.approx(np.pi * 90 * 50, rel=1e-3)
    assert 0 < np.mean((share(TILTED) > 0) & (share(TILTED) < 1)) < 0.01


def test_the_first_axis_of_an_ellipse_points_along_its_angle():
    y, x = np.indices((600, 600)) - 299.5
    inside = share(TILTED)
    moments = np.cov(np.stack([x.ravel(), y.ravel()]), aweights=inside.ravel())
    _, vectors = np.linalg.eigh(moments)
    assert np.arctan(vectors[1, 1] / vectors[0, 1]) == pytest.approx(0.7, abs=0.01)


def test_chords_are_those_of_a_rotated_ellipse_and_hold_its_area_in_every_view():
    lines = chords(TILTED)
    areas = lines.sum(axis=1) * GEOMETRY.pitch_mm
    np.testing.assert_allclose(areas, np.pi * 90 * 50, rtol=1e-3)
    along = round(0.7 / np.pi * GEOMETRY.views)  # the view that sees the short axis as its depth
    assert lines[along].max() == pytest.approx(2 * 50, rel=1e-3)
    assert (lines[along] > 0).sum() * GEOMETRY.pitch_mm == pytest.approx(2 * 90, abs=1)


def test_an_insert_replaces_water():
    maps = water(disk(100), [Insert("liver", "portal_venous", disk(20, x=50))])
    middle = 300 + round(50 / WHOLE.object_mm)
    np.testing.assert_allclose(maps[:, 300, middle], basis_amounts("liver", "portal_venous"), 1e-6)
    assert maps[:, 300, 300].tolist() == [1, 0, 0]
    assert maps[:, 0, 0].tolist() == [0, 0, 0]


def test_the_laboratory_leaves_only_the_tube_the_kernel_and_quantum_noise():
    profile = load_profile("stress_sharp")
    clean = laboratory(profile, mas=77, kvp=80)
    assert (clean.tube.mas, clean.tube.kvp, clean.tube.modulation) == (77, 80, 0)
    detector, kernel = clean.detector, clean.reconstruction
    assert detector.scatter == detector.ring == detector.electronic_noise_kev == 0
    assert (kernel.iterative_blend, kernel.hu_gain, kernel.hu_offset) == (0, 1, 0)
    assert kernel.mtf50_per_mm == profile.reconstruction.mtf50_per_mm
    assert with_slice(clean, 3).detector.slice_mm == 3
    assert profile == load_profile("stress_sharp")


def test_noise_depends_on_the_seed_alone():
    maps, profile = water(disk(100)), laboratory(load_profile("siemens_like"))
    one, same, other = (image(maps, profile, ZOOM, seed) for seed in ((1, 2), (1, 2), (1, 3)))
    assert one.shape == (ZOOM.image_size, ZOOM.image_size)
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.5
