import numpy as np
import pytest

from cl_seg.phantom.projection import back_project, project
from cl_seg.phantom.reconstruction import mtf
from cl_seg.phantom.validation.phantoms import GEOMETRY, WHOLE, Ellipse, Field, chords, disk, share


def test_projection_of_a_disk_is_its_chord():
    shape, field = disk(80, x=40, y=-25), Field(object_mm=0.6)
    lines = project(share(shape, field)[None], field.object_mm, GEOMETRY)[0]
    exact = chords(shape)
    inner = exact > 60  # away from the edge, where pixels are coarser than the ideal disk
    assert np.abs(lines - exact)[inner].max() < 0.5
    assert lines.sum() == pytest.approx(exact.sum(), rel=1e-3)


def test_an_aperture_blurs_and_keeps_the_area():
    maps = share(disk(50))[None]
    sharp, blurred = (project(maps, WHOLE.object_mm, GEOMETRY, a)[0] for a in (0.0, 4.0))
    assert blurred.sum() == pytest.approx(sharp.sum(), rel=1e-4)
    assert np.abs(np.diff(blurred)).max() < np.abs(np.diff(sharp)).max()


def test_back_projection_of_exact_ellipse_data_is_one_inside():
    a, b = 120.0, 80.0
    lines = chords(Ellipse(0, 0, a, b)).astype(np.float32)
    window = mtf(GEOMETRY.frequencies, 0.34, 0.6, 0.0)
    image = back_project(lines, window, 256, 1.2, GEOMETRY)
    axis = (np.arange(256) - 127.5) * 1.2
    radius = np.hypot(axis[None] / a, axis[:, None] / b)
    assert image[radius < 0.9].mean() == pytest.approx(1, abs=5e-4)
    assert np.abs(image[radius < 0.9] - 1).max() < 0.01
    assert np.abs(image[(radius > 1.1) & (radius < 1.5)]).max() < 0.02


def test_back_projection_puts_things_where_they_are():
    x, y = 60.0, -30.0
    window = np.ones_like(GEOMETRY.frequencies)
    image = back_project(chords(disk(10, x, y)).astype(np.float32), window, 255, 1.2, GEOMETRY)
    rows, columns = np.indices(image.shape)
    weight = np.where(image > 0.5, image, 0)
    centre = [(weight * i).sum() / weight.sum() for i in (columns, rows)]
    assert centre == pytest.approx([127 + x / 1.2, 127 + y / 1.2], abs=0.05)
