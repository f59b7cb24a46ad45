"""Spectrum of a scanner: tube, filters and bowtie, in energy groups."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics.basis_materials import (
    attenuation_table,
    basis_attenuation,
    energies,
    read_table,
)
from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.profiles import Profile, Tube

Floats = npt.NDArray[np.float64]

GROUPS = 10  # within 1 HU of 1 keV bins (tested)
TYPICAL_WATER_MM = 180.0  # groups are equal in photons behind this much water (engineering value)


@dataclass(frozen=True)
class Beam:
    """Photons per reading in energy groups, before the patient.

    Attributes:
        energies: (groups,) mean energy in keV behind a typical patient.
        photons: (groups, channels) detected without a patient, at mean tube current.
        attenuation: (groups, 3) of the basis materials in 1/mm.
    """

    energies: Floats
    photons: Floats
    attenuation: Floats


def filtered_spectrum(tube: Tube) -> Floats:
    """Photons per keV, mAs and cm² at 1 m behind the flat filters, (125,)."""
    table = attenuation_table()
    filters = tube.aluminium_mm * table["aluminium"] + tube.copper_mm * table["copper"]
    return read_table("spectra.csv")[str(tube.kvp)] * np.exp(-filters)


def photons_per_reading(profile: Profile, geometry: Geometry) -> Floats:
    """Photons detected per keV, ray and view without bowtie and patient, (125,)."""
    detector = profile.detector
    magnification = detector.source_detector_mm / detector.source_isocentre_mm
    area_cm2 = geometry.pitch_mm * detector.slice_mm * magnification**2 / 100 * detector.fill
    inverse_square = (1000 / detector.source_detector_mm) ** 2
    per_mas = filtered_spectrum(profile.tube) * inverse_square * area_cm2 * detector.efficiency
    return per_mas * profile.tube.mas / geometry.views


def bowtie_mm(tube: Tube, geometry: Geometry) -> Floats:
    """Aluminium path through the bowtie per channel: a circular profile, (channels,)."""
    inside = np.clip(1 - (geometry.positions / tube.bowtie_radius_mm) ** 2, 0, 1)
    path: Floats = tube.bowtie_mm * (1 - np.sqrt(inside))
    return path


def polychromatic_beam(profile: Profile, geometry: Geometry, groups: int = GROUPS) -> Beam:
    """The spectrum in groups of energy with equally many photons behind a typical patient."""
    photons = photons_per_reading(profile, geometry)
    behind = photons * np.exp(-attenuation_table()["water"] * TYPICAL_WATER_MM)
    share = np.cumsum(behind) / behind.sum()
    members = np.minimum((share * groups).astype(int), groups - 1)
    materials = np.vstack([basis_attenuation(), attenuation_table()["aluminium"], energies()])
    attenuation, counts, means = [], [], []
    for group in np.unique(members[photons > 0]):
        weights = np.where(members == group, behind, 0)
        *basis, aluminium, energy = materials @ (weights / weights.sum())
        # The count that the group's mean attenuation brings to the right one behind the patient.
        count = weights.sum() * np.exp(basis[0] * TYPICAL_WATER_MM)
        attenuation.append(basis)
        counts.append(count * np.exp(-aluminium * bowtie_mm(profile.tube, geometry)))
        means.append(energy)
    return Beam(np.array(means), np.array(counts), np.array(attenuation))
