import numpy as np
import pytest

from cl_seg.phantom.projection import Geometry, back_project, project
from cl_seg.phantom.reconstruction import mtf

from .disks import SPACING, cover

GEOMETRY = Geometry()


def chords(x, y, radius, geometry=GEOMETRY):
    """Exact line integrals of a unit disk."""
    angles = np.arange(geometry.views) * np.pi / geometry.views
    offset = geometry.positions - (x * np.cos(angles) + y * np.sin(angles))[:, None]
    return 2 * np.sqrt(np.maximum(radius**2 - offset**2, 0)).astype(np.float32)


def test_projection_of_a_disk_is_its_chord():
    x, y, radius = 40.0, -25.0, 80.0
    lines = project(cover(x, y, radius)[None], SPACING, GEOMETRY)[0]
    exact = chords(x, y, radius)
    inner = exact > 60  # away from the edge, where pixels are coarser than the ideal disk
    assert np.abs(lines - exact)[inner].max() < 0.5
    assert lines.sum() == pytest.approx(exact.sum(), rel=1e-3)


def test_an_aperture_blurs_and_keeps_the_area():
    disk = cover(0, 0, 50)[None]
    sharp, blurred = (project(disk, SPACING, GEOMETRY, a)[0] for a in (0.0, 4.0))
    assert blurred.sum() == pytest.approx(sharp.sum(), rel=1e-4)
    assert np.abs(np.diff(blurred)).max() < np.abs(np.diff(sharp)).max()


def test_back_projection_of_exact_ellipse_data_is_one_inside():
    # Line integrals of an ellipse in closed form (Kak & Slaney 1988, eq. 3.5).
    a, b = 120.0, 80.0
    angles = np.arange(GEOMETRY.views)[:, None] * np.pi / GEOMETRY.views
    width = (a * np.cos(angles)) ** 2 + (b * np.sin(angles)) ** 2
    root = np.sqrt(np.maximum(width - GEOMETRY.positions**2, 0))
    lines = (2 * a * b * root / width).astype(np.float32)
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
    image = back_project(chords(x, y, 10), window, 255, 1.2, GEOMETRY)
    rows, columns = np.indices(image.shape)
    weight = np.where(image > 0.5, image, 0)
    centre = [(weight * i).sum() / weight.sum() for i in (columns, rows)]
    assert centre == pytest.approx([127 + x / 1.2, 127 + y / 1.2], abs=0.05)
