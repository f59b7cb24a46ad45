"""Resampling to the canonical grid, against closed forms."""

import numpy as np
import pytest

from cl_seg.scans.resample import Placement, place, resample_image, resample_labels
from cl_seg.scans.series import Volume
from cl_seg.scans.store import Grid

from .conftest import SIZE, SPACING, body_image


def make(image, spacing, origin=(0.0, 0.0)):
    return Volume(image[None].astype(np.int16), np.array([0.0]), (spacing, spacing), origin)


def test_the_same_grid_is_left_alone():
    volume = make(body_image(), SPACING)
    placement = place(volume, Grid(SIZE, SPACING))
    assert np.array_equal(
        resample_image(volume.hu[0], volume, placement, Grid(SIZE, SPACING)), body_image()
    )


@pytest.mark.parametrize("spacing", [0.5, 0.97, 1.6, 3.0])
def test_a_ramp_stays_a_ramp_at_the_same_places(spacing):
    size = int(120 / spacing)
    x = spacing * np.arange(size)
    volume = make(np.tile(10 * x - 500, (size, 1)).round(), spacing)
    grid = Grid(32, 1.6)
    image = resample_image(volume.hu[0], volume, Placement((60.0, 60.0), False), grid)
    expected = 10 * (60 + 1.6 * (np.arange(32) - 15.5)) - 500
    assert np.abs(image - expected).max() <= 1


def test_downsampling_averages_instead_of_aliasing():
    checkerboard = np.indices((200, 200)).sum(0) % 2 * 1000.0
    volume = make(checkerboard, 0.4)
    image = resample_image(volume.hu[0], volume, Placement((40.0, 40.0), False), Grid(16, 1.6))
    assert np.abs(image - 500).max() < 20


def test_outside_is_air_and_background():
    volume = make(np.full((10, 10), 50), 1.0)
    grid, placement = Grid(40, 1.0), Placement((4.5, 4.5), False)
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
    grid, placement = Grid(128, 1.6), Placement((100.0, 100.0), False)
    labels = resample_labels(disc.astype(np.uint8) * 2, volume, placement, grid)
    image = resample_image(volume.hu[0], volume, placement, grid)
    assert (labels == 2).sum() * 1.6**2 == pytest.approx(disc.sum() * spacing**2, rel=0.01)
    assert np.mean((labels == 2) == (image > -450)) > 0.999


def test_unlabelled_pixels_stay_unlabelled():
    volume = make(body_image(), SPACING)
    unlabelled = np.full((SIZE, SIZE), 255, np.uint8)
    placement, grid = place(volume, Grid(32, 4.0)), Grid(32, 4.0)
    assert np.all(resample_labels(unlabelled, volume, placement, grid) == 255)


def test_the_grid_is_centred_on_the_image_unless_the_body_would_be_cut():
    image = np.full((100, 100), -1000)
    image[40:60, 30:60] = 40
    assert place(make(image, 4.0, (7.0, 9.0)), Grid(64, 4.0)) == Placement((205.0, 207.0), False)
    image[:] = -1000
    image[40:60, 0:40] = 40
    placed = place(make(image, 4.0), Grid(64, 4.0))
    assert placed.centre_mm == pytest.approx((198.0, 78.0), abs=4)
    assert not placed.body_cut
    image[:] = 40
    assert place(make(image, 4.0), Grid(64, 4.0)).body_cut


def test_an_empty_series_is_centred_on_the_image():
    assert place(make(np.full((9, 9), -1000), 2.0), Grid(4, 2.0)) == Placement((8.0, 8.0), False)
