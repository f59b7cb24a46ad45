import numpy as np
import pytest

from cl_seg.phantom.physics import projection
from cl_seg.phantom.physics.projection import (
    Geometry,
    extend_beyond_detector,
    filtered_back_projection,
    project,
)
from cl_seg.phantom.physics.reconstruction import mtf
from experiments.simulator.validation.phantoms import (
    GEOMETRY,
    WHOLE,
    Ellipse,
    Field,
    chords,
    disk,
    share,
)


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
    image = filtered_back_projection(lines, window, 256, 1.2, GEOMETRY)
    axis = (np.arange(256) - 127.5) * 1.2
    radius = np.hypot(axis[None] / a, axis[:, None] / b)
    assert image[radius < 0.9].mean() == pytest.approx(1, abs=5e-4)
    assert np.abs(image[radius < 0.9] - 1).max() < 0.01
    assert np.abs(image[(radius > 1.1) & (radius < 1.5)]).max() < 0.02


def test_back_projection_puts_things_where_they_are():
    x, y = 60.0, -30.0
    window = np.ones_like(GEOMETRY.frequencies)
    image = filtered_back_projection(
        chords(disk(10, x, y)).astype(np.float32), window, 255, 1.2, GEOMETRY
    )
    rows, columns = np.indices(image.shape)
    weight = np.where(image > 0.5, image, 0)
    centre = [(weight * i).sum() / weight.sum() for i in (columns, rows)]
    assert centre == pytest.approx([127 + x / 1.2, 127 + y / 1.2], abs=0.05)


def test_projections_that_end_inside_the_detector_are_padded_with_zeros():
    lines = chords(disk(150)).astype(np.float32)
    padded = extend_beyond_detector(lines, GEOMETRY)
    np.testing.assert_array_equal(padded[:, : GEOMETRY.channels], lines)
    assert not padded[:, GEOMETRY.channels :].any()


@pytest.mark.parametrize("wide", [250, 275, 300])
def test_what_a_detector_cuts_off_a_disk_goes_on_as_it_would(wide):
    beyond = Geometry(4, 2 * GEOMETRY.channels, GEOMETRY.pitch_mm)
    exact = chords(disk(wide, x=20), beyond)[:1].astype(np.float32)
    half = GEOMETRY.channels // 2
    padded = extend_beyond_detector(exact[:, half:-half], GEOMETRY)
    whole = np.concatenate([padded[:, -half:], padded[:, :-half]], axis=1)
    cut_off = exact.sum() - exact[:, half:-half].sum()
    assert whole.sum() == pytest.approx(exact.sum(), abs=0.2 * float(cut_off))


def test_a_body_beyond_the_detector_does_not_brighten_the_edge_of_the_image(monkeypatch):
    lines = chords(Ellipse(0, 0, 275, 150)).astype(np.float32)  # 1.9 cm too wide on either side
    window = mtf(GEOMETRY.frequencies, 0.34, 0.6, 0.0)

    def edge():
        image = filtered_back_projection(lines, window, 256, 1.9, GEOMETRY)
        return image[118:138, 236:242].mean()  # 21 to 22 cm beside the middle

    assert edge() == pytest.approx(1, abs=0.003)
    monkeypatch.setattr(
        projection, "_water_cylinder", lambda edge, n, _: np.zeros((len(edge), n), "f4")
    )
    assert edge() > 1.01


def test_the_spectrum_of_a_body_is_precise_to_a_ten_thousandth():
    geometry, size, spacing = Geometry(views=24, channels=64, pitch_mm=1.0), 120, 0.8
    transform = projection._Transform(geometry, size, spacing, kind=2)
    places = spacing * (np.arange(size) - size // 2)
    body = np.hypot.outer(places / 30, places / 40) < np.random.default_rng(0).random((size, size))
    across, down = (np.exp(-2j * np.pi * np.outer(f, places)) for f in (transform.fx, transform.fy))
    exact = np.einsum("ki,ij,kj->k", down, body, across, optimize=True)
    found = transform.plan.execute(body.astype(np.complex64))
    assert np.linalg.norm(found - exact) < 1e-4 * np.linalg.norm(exact)
