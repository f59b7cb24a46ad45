import numpy as np
import pytest

from cl_seg.phantom.physics.basis_materials import energies
from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.physics.spectrum import bowtie_mm, filtered_spectrum, photons_per_reading
from cl_seg.phantom.profiles import load_profile
from experiments.simulator.validation.phantoms import REFERENCE, laboratory

GEOMETRY = Geometry(8, 64, 8.0)


def tube(**settings):
    return laboratory(load_profile(REFERENCE), **settings)


def test_photons_grow_with_current_and_slice_and_fall_with_filtration():
    one = photons_per_reading(tube(mas=100), GEOMETRY).sum()
    assert photons_per_reading(tube(mas=300), GEOMETRY).sum() == pytest.approx(3 * one)
    assert photons_per_reading(tube(mas=100), Geometry(4, 64, 8.0)).sum() == pytest.approx(2 * one)


def test_filters_harden_the_beam():
    def mean_energy(profile):
        spectrum = filtered_spectrum(profile.tube)
        return (spectrum * energies()).sum() / spectrum.sum()

    soft, hard = tube(aluminium_mm=3), tube(aluminium_mm=10)
    assert mean_energy(hard) > mean_energy(soft) + 2
    assert mean_energy(tube(copper_mm=0.2)) > mean_energy(tube())
    assert filtered_spectrum(tube(kvp=80).tube)[energies() > 80].sum() == 0


def test_bowtie_is_thin_in_the_middle_and_full_at_its_radius():
    profile = tube(bowtie_mm=30, bowtie_radius_mm=256)
    thickness = bowtie_mm(profile.tube, GEOMETRY)
    assert thickness[32] == 0
    assert thickness[0] == pytest.approx(30)
    # A circle: at 0.6 of the radius the profile has risen by a fifth.
    at = np.interp(0.6 * 256, GEOMETRY.positions[32:], thickness[32:])
    assert at == pytest.approx(6, rel=0.01)
