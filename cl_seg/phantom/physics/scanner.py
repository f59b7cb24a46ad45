"""One scanner: the chain from an anatomy to the image its console shows."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.body import Preparation
from cl_seg.phantom.anatomy.slices import Anatomy
from cl_seg.phantom.physics.basis_materials import basis_maps
from cl_seg.phantom.physics.corrections import water_calibration, water_thickness
from cl_seg.phantom.physics.couch import couch_fraction
from cl_seg.phantom.physics.detection import detect, expected_signal, residual_scatter, tube_current
from cl_seg.phantom.physics.postprocessing import postprocess
from cl_seg.phantom.physics.projection import Geometry, project
from cl_seg.phantom.physics.reconstruction import reconstruct
from cl_seg.phantom.physics.spectrum import Beam, beam
from cl_seg.phantom.profiles import Profile
from cl_seg.scans.store import Grid

Single = npt.NDArray[np.float32]

IMAGE_SIZE = 512
FOV_STEP_MM = 25.0  # fields of view are chosen in steps, as at a console
FOV_LIMITS_MM = (350.0, 500.0)
CENTRE = (0.0, 0.0)
GEOMETRY = Geometry()


@dataclass(frozen=True)
class Noise:
    """What a scan adds at random.

    Attributes:
        channel_gain: (channels,) relative gain of the detector, the same in every scan.
        rng: quantum and electronic noise.
    """

    channel_gain: Single
    rng: np.random.Generator


@lru_cache(maxsize=8)
def _calibrated(profile: Profile, geometry: Geometry) -> tuple[Beam, npt.NDArray[np.floating[Any]]]:
    source = beam(profile, geometry)
    return source, water_calibration(source)


def channel_gain(profile: Profile, geometry: Geometry, rng: np.random.Generator) -> Single:
    """Draw the gain of each channel, which makes rings, (channels,)."""
    error = rng.standard_normal(geometry.channels, np.float32)
    return 1 + np.float32(profile.detector.ring) * error


def centring(profile: Profile, rng: np.random.Generator) -> tuple[float, float]:
    """Draw where the middle of a body lies, (x, y) in mm from the isocentre."""
    sd = profile.protocol.centring_sd_mm
    x, y = (mean + float(rng.normal(0, sd)) for mean in profile.protocol.off_centre_mm)
    return x, y


def prepare(profile: Profile, rng: np.random.Generator) -> Preparation:
    """How somebody comes to a scanner; who is the first to lower the arms is so everywhere."""
    protocol = profile.protocol
    drinks, lowers, fused = rng.random(3)
    return Preparation(
        oral_contrast=bool(drinks < protocol.oral_contrast),
        arms_lowered=bool(lowers < protocol.arms_lowered),
        implants=bool(fused < protocol.implants),
    )


def field_of_view(surface: Single, grid: Grid, margin_mm: float, x_mm: float) -> float:
    """Diameter in mm, about the isocentre, that holds a body and a margin.

    Args:
        surface: (N, N) distance to the skin in mm.
        grid: of the surface.
        margin_mm: beyond the body.
        x_mm: how far the body lies beside the isocentre.
    """
    inside = np.flatnonzero((surface < 0).any(axis=0))
    width = (inside[-1] - inside[0] + 1) * grid.spacing_mm + 2 * abs(x_mm)
    steps = np.ceil((width + margin_mm) / FOV_STEP_MM)
    return float(np.clip(steps * FOV_STEP_MM, *FOV_LIMITS_MM))


def acquire(
    maps: Single,
    spacing_mm: float,
    profile: Profile,
    geometry: Geometry,
    noise: Noise | None,
    centre_mm: tuple[float, float] = CENTRE,
) -> Single:
    """Scan basis maps (3, N, N) and return water path lengths in mm (views, channels)."""
    source, calibration = _calibrated(profile, geometry)
    lines = project(maps, spacing_mm, geometry, profile.detector.aperture_mm, centre_mm)
    signal = expected_signal(lines, source)
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
    centre_mm: tuple[float, float] = CENTRE,
) -> Single:
    """Scan an anatomy.

    Args:
        anatomy: one level of a body.
        enhancement: the body's factor on iodine uptake.
        profile: the scanner.
        fov_mm: diameter of the image.
        noise: None for a scan without noise and rings.
        centre_mm: (x, y) of the middle of the body from the isocentre.

    Returns:
        (512, 512) HU about the isocentre.
    """
    protocol = profile.protocol
    maps = basis_maps(anatomy.fractions, protocol.contrast, enhancement * protocol.iodine)
    maps[0] += couch_fraction(profile.couch, anatomy.surface, anatomy.grid)
    water = acquire(maps, anatomy.grid.spacing_mm, profile, GEOMETRY, noise, centre_mm)
    hu = reconstruct(water, profile, fov_mm, IMAGE_SIZE, GEOMETRY)
    return postprocess(hu, profile.reconstruction)
