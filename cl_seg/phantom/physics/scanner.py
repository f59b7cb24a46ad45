"""One scanner: the chain from an anatomy to its image in HU."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.slices import Anatomy
from cl_seg.phantom.physics.basis_materials import basis_maps
from cl_seg.phantom.physics.corrections import water_calibration, water_thickness
from cl_seg.phantom.physics.couch import couch_fraction
from cl_seg.phantom.physics.detection import detect, expected_signal, residual_scatter, tube_current
from cl_seg.phantom.physics.postprocessing import postprocess
from cl_seg.phantom.physics.projection import Geometry, project
from cl_seg.phantom.physics.reconstruction import reconstruct
from cl_seg.phantom.physics.spectrum import Beam, polychromatic_beam
from cl_seg.phantom.profiles import Profile

Single = npt.NDArray[np.float32]

ISOCENTRE = (0.0, 0.0)
GEOMETRY = Geometry()


@dataclass(frozen=True)
class Noise:
    """Random parts of a scan.

    Attributes:
        channel_gain: (channels,) relative gain of the detector, the same in every scan.
        rng: of quantum and electronic noise.
    """

    channel_gain: Single
    rng: np.random.Generator


@lru_cache(maxsize=8)
def _calibrated_beam(
    profile: Profile, geometry: Geometry
) -> tuple[Beam, npt.NDArray[np.floating[Any]]]:
    beam = polychromatic_beam(profile, geometry)
    return beam, water_calibration(beam)


def draw_channel_gain(profile: Profile, geometry: Geometry, rng: np.random.Generator) -> Single:
    """Draw the gain of each channel, which makes rings, (channels,)."""
    error = rng.standard_normal(geometry.channels, np.float32)
    return 1 + np.float32(profile.detector.ring) * error


def acquire(
    maps: Single,
    spacing_mm: float,
    profile: Profile,
    geometry: Geometry,
    noise: Noise | None,
    centre_mm: tuple[float, float] = ISOCENTRE,
) -> Single:
    """Scan basis maps.

    Args:
        maps: (3, N, N) amounts of the basis materials.
        spacing_mm: their pixel size.
        profile: of the scanner.
        geometry: views and channels.
        noise: None for a scan without noise and rings.
        centre_mm: (x, y) of the middle of the maps from the isocentre.

    Returns:
        (views, channels) water path lengths in mm.
    """
    beam, calibration = _calibrated_beam(profile, geometry)
    lines = project(maps, spacing_mm, geometry, profile.detector.aperture_mm, centre_mm)
    signal = expected_signal(lines, beam)
    current = tube_current(signal, profile.tube.modulation)
    scatter = residual_scatter(signal, profile.detector.scatter, geometry)
    readings = detect(signal, current, scatter, profile.detector, noise.rng if noise else None)
    if noise:
        readings *= noise.channel_gain
    return water_thickness(readings, signal.open_field, calibration)


def scan(
    anatomy: Anatomy,
    enhancement: float,
    profile: Profile,
    fov_mm: float,
    noise: Noise | None,
    centre_mm: tuple[float, float] = ISOCENTRE,
) -> Single:
    """Scan an anatomy.

    Args:
        anatomy: one level of a body.
        enhancement: the body's factor on iodine uptake.
        profile: of the scanner.
        fov_mm: diameter of the image.
        noise: None for a scan without noise and rings.
        centre_mm: (x, y) of the middle of the body from the isocentre.

    Returns:
        (size, size) HU about the isocentre.
    """
    protocol = profile.protocol
    maps = basis_maps(anatomy.fractions, protocol.contrast, enhancement * protocol.iodine)
    maps[0] += couch_fraction(profile.couch, anatomy.surface, anatomy.grid)
    water = acquire(maps, anatomy.grid.spacing_mm, profile, GEOMETRY, noise, centre_mm)
    hu = reconstruct(water, profile, fov_mm, profile.reconstruction.image_size, GEOMETRY)
    return postprocess(hu, profile.reconstruction)
