import numpy as np
from scipy.ndimage import gaussian_filter

from cl_seg.phantom.physics.projection import project
from cl_seg.phantom.profiles import profile_names
from experiments.simulator.validation import geometry_laws
from experiments.simulator.validation.phantoms import REFERENCE, image

from .test_hu_laws import failures


def test_edges_have_the_sharpness_of_every_kernel():
    assert not failures(geometry_laws.sharpness(profile_names()))


def test_further_blur_fails(monkeypatch):
    def blurred(maps, profile, field):
        return gaussian_filter(image(maps, profile, field), 0.25 / field.pixel_mm)

    monkeypatch.setattr(geometry_laws, "image", blurred)
    checks = geometry_laws.sharpness([REFERENCE])
    assert len(failures(checks)) == 2


def test_projections_are_line_integrals():
    assert not failures(geometry_laws.sinogram())


def test_a_shift_by_half_a_channel_fails(monkeypatch):
    def shifted(*arguments):
        lines = project(*arguments)
        return (lines + np.roll(lines, 1, axis=-1)) / 2

    monkeypatch.setattr(geometry_laws, "project", shifted)
    assert sum(", shift:" in line for line in failures(geometry_laws.sinogram())) == 4


def test_views_in_the_wrong_order_fail(monkeypatch):
    monkeypatch.setattr(geometry_laws, "project", lambda *a: project(*a)[:, ::-1])
    failed = failures(geometry_laws.sinogram())
    assert sum("error" in line for line in failed) == 3  # all but the disk in the middle


def test_a_wrong_pixel_size_fails(monkeypatch):
    monkeypatch.setattr(geometry_laws, "project", lambda i, s, g: project(i, 1.01 * s, g))
    assert sum("area" in line for line in failures(geometry_laws.sinogram())) == 4
