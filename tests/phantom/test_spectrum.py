import numpy as np
import pytest

from cl_seg.phantom.projection import Geometry
from cl_seg.phantom.spectrum import (
    beam,
    bowtie_mm,
    filtered_spectrum,
    photons_per_reading,
)
from cl_seg.phantom.tissues import basis_amounts, energies

from .disks import ideal

GEOMETRY = Geometry(8, 64, 8.0)


def attenuation(source, lines):
    """−log of the relative energy signal behind (n, 3) line integrals, at the middle channel."""
    energy = (source.photons * source.energies[:, None])[:, 32]
    return -np.log(np.exp(-lines @ source.attenuation.T) @ energy / energy.sum())


def apparent_water(source, lines):
    """Water thickness in mm that attenuates as much, (n,)."""
    thickness = np.linspace(0, 600, 6001)
    water = attenuation(source, thickness[:, None] * np.array([1, 0, 0]))
    return np.interp(attenuation(source, lines), water, thickness)


@pytest.mark.parametrize("kvp", [80, 100, 120, 140])
def test_ten_groups_equal_every_energy_bin(kvp):
    # 50 mm of tissue in 200 or 350 mm of water: how many HU do the groups err?
    tissues = np.array([basis_amounts(t, "portal_venous") for t in ("adipose", "muscle", "vein")])
    lines = np.concatenate([50 * tissues + np.array([w, 0, 0]) for w in (150, 300)])
    profile = ideal(kvp=kvp)
    few = apparent_water(beam(profile, GEOMETRY), lines)
    every = apparent_water(beam(profile, GEOMETRY, groups=4000), lines)
    np.testing.assert_allclose(1000 * (few - every) / 50, 0, atol=1)


def test_photons_grow_with_current_and_slice_and_fall_with_filtration():
    one = photons_per_reading(ideal(mas=100), GEOMETRY).sum()
    assert photons_per_reading(ideal(mas=300), GEOMETRY).sum() == pytest.approx(3 * one)
    assert photons_per_reading(ideal(mas=100), Geometry(4, 64, 8.0)).sum() == pytest.approx(2 * one)


def test_filters_harden_the_beam():
    def mean_energy(profile):
        spectrum = filtered_spectrum(profile.tube)
        return (spectrum * energies()).sum() / spectrum.sum()

    soft, hard = ideal(aluminium_mm=3), ideal(aluminium_mm=10)
    assert mean_energy(hard) > mean_energy(soft) + 2
    assert mean_energy(ideal(copper_mm=0.2)) > mean_energy(ideal())
    assert filtered_spectrum(ideal(kvp=80).tube)[energies() > 80].sum() == 0


def test_bowtie_is_thin_in_the_middle_and_full_at_its_radius():
    profile = ideal(bowtie_mm=30, bowtie_radius_mm=256)
    thickness = bowtie_mm(profile.tube, GEOMETRY)
    assert thickness[32] == 0
    assert thickness[0] == pytest.approx(30)
    # A circle: at 0.6 of the radius the profile has risen by a fifth.
    at = np.interp(0.6 * 256, GEOMETRY.positions[32:], thickness[32:])
    assert at == pytest.approx(6, rel=0.01)
