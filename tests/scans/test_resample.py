"""Resampling to the canonical grid, against closed forms."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_seg.scans.resample import (
    Placement,
    centre_grid,
    resample_image,
    resample_labels,
    size_notes,
    truncation_notes,
)
from cl_seg.scans.series import Volume
from cl_seg.scans.store import Grid

from .conftest import SIZE, SPACING, body_image


def make(image, spacing, origin=(0.0, 0.0)):
    return Volume(image[None].astype(np.int16), np.array([0.0]), (spacing, spacing), origin)


def test_the_same_grid_is_left_alone():
    volume = make(body_image(), SPACING)
    placement = centre_grid(volume, Grid(SIZE, SPACING))
    assert np.array_equal(
        resample_image(volume.hu[0], volume, placement, Grid(SIZE, SPACING)), body_image()
    )


@pytest.mark.parametrize("spacing", [0.5, 0.97, 1.6, 3.0])
def test_a_ramp_stays_a_ramp_at_the_same_places(spacing):
    size = int(120 / spacing)
    x = spacing * np.arange(size)
    volume = make(np.tile(10 * x - 500, (size, 1)).round(), spacing)
    grid = Grid(32, 1.6)
    image = resample_image(volume.hu[0], volume, Placement((60.0, 60.0)), grid)
    expected = 10 * (60 + 1.6 * (np.arange(32) - 15.5)) - 500
    assert np.abs(image - expected).max() <= 1


def test_downsampling_averages_instead_of_aliasing():
    checkerboard = np.indices((200, 200)).sum(0) % 2 * 1000.0
    volume = make(checkerboard, 0.4)
    image = resample_image(volume.hu[0], volume, Placement((40.0, 40.0)), Grid(16, 1.6))
    assert np.abs(image - 500).max() < 20


def test_outside_is_air_and_background():
    volume = make(np.full((10, 10), 50), 1.0)
    grid, placement = Grid(40, 1.0), Placement((4.5, 4.5))
    image = resample_image(volume.hu[0], volume, placement, grid)
    labels = resample_labels(np.ones((10, 10), np.uint8), volume, placement, grid)
    assert (image == 50).sum() == (labels == 1).sum() == 100
    assert (image == -1024).sum() == (labels == 0).sum() == 1500
    assert np.array_equal(labels == 1, image == 50)


@pytest.mark.parametrize("spacing", [0.8, 2.5])
def test_a_labelled_disc_keeps_its_area_and_its_image(spacing):
    size = int(200 / spacing)
    y, x = np.indices((size, size)) * spacing
    disc = (x - 90) ** 2 + (y - 110) ** 2 < 40**2
    volume = make(np.where(disc, 100, -1000), spacing)
    grid, placement = Grid(128, 1.6), Placement((100.0, 100.0))
    labels = resample_labels(disc.astype(np.uint8) * 2, volume, placement, grid)
    image = resample_image(volume.hu[0], volume, placement, grid)
    assert (labels == 2).sum() * 1.6**2 == pytest.approx(disc.sum() * spacing**2, rel=0.01)
    # Not nearer: labels keep the area of the disc, a threshold of the smooth image does not.
    assert np.mean((labels == 2) == (image > -450)) > 0.998


def test_unlabelled_pixels_stay_unlabelled():
    volume = make(body_image(), SPACING)
    unlabelled = np.full((SIZE, SIZE), 255, np.uint8)
    placement, grid = centre_grid(volume, Grid(32, 4.0)), Grid(32, 4.0)
    assert np.all(resample_labels(unlabelled, volume, placement, grid) == 255)


def test_the_grid_is_centred_on_the_image_unless_the_body_would_be_cut():
    image = np.full((100, 100), -1000)
    image[40:60, 30:60] = 40
    assert centre_grid(make(image, 4.0, (7.0, 9.0)), Grid(64, 4.0)) == Placement(
        (205.0, 207.0), (False,)
    )
    image[:] = -1000
    image[40:60, 2:40] = 40
    placed = centre_grid(make(image, 4.0), Grid(64, 4.0))
    assert placed.centre_mm == pytest.approx((198.0, 82.0), abs=4)
    assert placed.truncated == (False,)
    image[:] = 40
    assert centre_grid(make(image, 4.0), Grid(64, 4.0)).truncated == (True,)


def test_an_empty_series_is_centred_on_the_image():
    placed = centre_grid(make(np.full((9, 9), -1000), 2.5), Grid(4, 2.0))
    assert placed == Placement((10.0, 10.0), (False,))


@pytest.mark.parametrize("shape", [(9, 9), (9, 10), (10, 9), (10, 10)])
@pytest.mark.parametrize("size", [6, 7, 14, 15])
def test_pixels_of_one_size_are_copied(shape, size):
    """Whatever is odd or even: noise is not halved, and labels lose nothing."""
    noise = np.random.default_rng(0).integers(-900, 900, shape).astype(np.int16)
    labels = np.random.default_rng(1).integers(0, 3, shape).astype(np.uint8)
    volume = Volume(noise[None], np.array([0.0]), (1.5, 1.5), (-3.3, 7.1))
    grid = Grid(size, 1.5)
    placement = centre_grid(volume, grid)
    image = resample_image(volume.hu[0], volume, placement, grid)
    kept = resample_labels(labels, volume, placement, grid)
    down, across = (max(0, (n - size + 1) // 2) for n in shape)
    rows, columns = (min(n, size) for n in shape)
    inside = image != -1024
    assert inside.sum() == kept[inside].size == rows * columns
    assert any(
        np.array_equal(image[inside], noise[d : d + rows, a : a + columns].ravel())
        and np.array_equal(kept[inside], labels[d : d + rows, a : a + columns].ravel())
        for d in (down, max(0, down - 1))
        for a in (across, max(0, across - 1))
    )
    middle = volume.origin_mm[0] + 1.5 * (shape[0] - 1) / 2
    assert abs(placement.centre_mm[0] - middle) <= 0.75


def test_a_spacing_that_drifts_is_resampled():
    volume = make(body_image(), SPACING * 1.01)
    grid = Grid(SIZE, SPACING)
    assert not np.array_equal(
        resample_image(volume.hu[0], volume, centre_grid(volume, grid), grid), body_image()
    )


def structure(kind, thick_mm, spacing, shape, turned, shifted):
    """(H, W) bool: a disc, a bar or a wall, ``thick_mm`` thick at its thinnest."""
    y, x = (spacing * (np.arange(n) - (n - 1) / 2) for n in shape)
    y, x = np.meshgrid(y - shifted[0], x - shifted[1], indexing="ij")
    across = x * np.cos(turned) + y * np.sin(turned)
    along = y * np.cos(turned) - x * np.sin(turned)
    reach = 0.35 * spacing * min(shape)
    if kind == "disc":
        return np.hypot(x, y) < max(thick_mm / 2, 0.6 * reach)
    if kind == "bar":
        return (np.abs(across) < thick_mm / 2) & (np.abs(along) < reach)
    outer = np.hypot(across / reach, along / (0.8 * reach)) < 1
    inner = np.hypot(across / (reach - thick_mm), along / (0.8 * reach - thick_mm)) < 1
    return outer & ~inner


def test_an_edge_that_no_pixel_shares_with_its_neighbour_keeps_its_area():
    """A bar of 12 pixels is 10.91 wide on the grid, and 11 centres of the grid lie in it."""
    mask = structure("bar", 8.0, 0.625, (200, 200), 0.0, (0.0, 0.0))
    ratio = 1.099609375
    hu = np.where(mask, 50, -1000).astype(np.int16)[None]
    volume = Volume(hu, np.zeros(1), (0.625, 0.625), (0.0, 0.0))
    grid = Grid(183, 0.625 * ratio)
    labels = mask.astype(np.uint8)
    stored = resample_labels(labels, volume, centre_grid(volume, grid), grid)
    assert abs((stored == 1).sum() - mask.sum() / ratio**2) <= 1


RATIOS = st.one_of(st.floats(0.5, 4), st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 4.0]))


@st.composite
def structures(draw):
    """(H, W) bool of a structure of at least 5 mm, and the pixel size in mm."""
    spacing, pixels = draw(st.floats(0.5, 1.6)), draw(st.integers(120, 200))
    shape = pixels, pixels + draw(st.integers(0, 3))
    kind, thick_mm = draw(st.sampled_from(["disc", "bar", "wall"])), draw(st.floats(5, 15))
    shifted = draw(st.floats(-4, 4)), draw(st.floats(-4, 4))
    turned = draw(st.floats(0, np.pi))
    return structure(kind, thick_mm, spacing, shape, turned, shifted), spacing


@given(structures(), RATIOS, st.floats(-4, 4))
@settings(max_examples=2000, deadline=None)
def test_areas_are_kept(drawn, ratio, moved_mm):
    """Within 0.5 %, or a pixel, for two structures side by side."""
    mask, spacing = drawn
    shape = mask.shape
    labels = mask.astype(np.uint8)
    labels[: shape[0] // 2][mask[: shape[0] // 2]] = 2
    grid = Grid(int(np.ceil(shape[1] / ratio)) + 1, spacing * ratio)
    volume = Volume(
        np.where(mask, 50, -1000).astype(np.int16)[None],
        np.zeros(1),
        (spacing, spacing),
        (moved_mm, -moved_mm),
    )
    stored = resample_labels(labels, volume, centre_grid(volume, grid), grid)
    for label in (1, 2):
        true = (labels == label).sum() / ratio**2
        assert abs((stored == label).sum() - true) <= max(0.005 * true, 1)


@pytest.mark.parametrize(
    ("size", "spacing", "grid"), [(61, 2.148, (111, 2.0)), (53, 2.838, (159, 3.0))]
)
def test_areas_at_the_edge_of_an_image_are_kept(size, spacing, grid):
    labels = np.zeros((size, size), np.uint8)
    thick = int(8 / spacing)
    labels[:, :thick], labels[-thick:] = 1, 2
    volume = make(labels, spacing)
    stored = resample_labels(labels, volume, centre_grid(volume, Grid(*grid)), Grid(*grid))
    for label in (1, 2):
        true = (labels == label).sum() * (spacing / grid[1]) ** 2
        assert abs((stored == label).sum() - true) <= max(0.005 * true, 1)


def test_a_body_is_cut_by_the_grid_by_the_image_or_by_the_circle_of_reconstruction():
    y, x = np.indices((128, 128)) - 63.5
    body = np.where(np.hypot(x / 50, y / 35) < 1, 40, -1000)
    whole = make(body, 4.0)
    assert centre_grid(whole, Grid(128, 4.0)).truncated == (False,)
    assert centre_grid(whole, Grid(96, 4.0)).truncated == (True,)
    assert centre_grid(make(body[:, 20:], 4.0), Grid(128, 4.0)).truncated == (True,)
    wide = np.where(np.hypot(x / 70, y / 35) < 1, 40, -1000)
    assert centre_grid(
        make(np.where(np.hypot(x, y) < 63, wide, -1024), 4.0), Grid(128, 4.0)
    ).truncated == (True,)
    assert centre_grid(
        make(np.where(np.hypot(x, y) < 63, body, -1024), 4.0), Grid(128, 4.0)
    ).truncated == (False,)
    two = Volume(np.stack([body, wide]).astype(np.int16), np.arange(2.0), (4.0, 4.0), (0.0, 0.0))
    placed = centre_grid(two, Grid(128, 4.0))
    assert placed.truncated == (False, True)
    assert "in 1 of 2 slices" in truncation_notes(placed, Grid(128, 4.0))[0]
    assert truncation_notes(centre_grid(whole, Grid(128, 4.0)), Grid(128, 4.0)) == []


@pytest.mark.parametrize(("spacing", "told"), [(0.3, True), (3.0, False), (12.0, True)])
def test_a_body_of_no_bodys_size_is_told(spacing, told):
    """Centimetres written as millimetres; a part of a body may be small."""
    y, x = np.indices((128, 128)) - 63.5
    hu = np.where(np.hypot(x / 50, y / 35) < 1, 40, -1000)
    notes = size_notes(centre_grid(make(hu, spacing), Grid(128, 3.0)))
    assert [
        bool(re.match(r"the body is about \d+ × \d+ mm, expected 60", note)) for note in notes
    ] == ([True] if told else [])
    assert not size_notes(centre_grid(make(hu[40:88, 40:88], 0.3), Grid(128, 3.0)))
    assert not size_notes(centre_grid(make(np.full((64, 64), -1000), 0.3), Grid(128, 3.0)))
