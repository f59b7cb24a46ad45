"""One scanner: the chain from an anatomy to an image on the canonical grid."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.anatomy.slices import Anatomy
from cl_seg.phantom.corrections import water_calibration, water_thickness
from cl_seg.phantom.couch import couch_fraction
from cl_seg.phantom.detection import detect, expected_signal, residual_scatter, tube_current
from cl_seg.phantom.postprocessing import PADDING, postprocess
from cl_seg.phantom.profiles import Profile
from cl_seg.phantom.projection import Geometry, project
from cl_seg.phantom.reconstruction import reconstruct
from cl_seg.phantom.resampling import resample, resample_labels
from cl_seg.phantom.spectrum import Beam, beam
from cl_seg.phantom.tissues import basis_maps
from cl_seg.scans.store import Grid

Single = npt.NDArray[np.float32]

IMAGE_SIZE = 512
FOV_STEP_MM = 25.0  # fields of view are chosen in steps, as at a console
FOV_LIMITS_MM = (350.0, 500.0)


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


def field_of_view(anatomy: Anatomy, margin_mm: float) -> float:
    """Diameter in mm that holds the body and a margin."""
    inside = np.flatnonzero((anatomy.surface < 0).any(axis=0))
    width = (inside[-1] - inside[0] + 1) * anatomy.grid.spacing_mm
    steps = np.ceil((width + margin_mm) / FOV_STEP_MM)
    return float(np.clip(steps * FOV_STEP_MM, *FOV_LIMITS_MM))


def acquire(
    maps: Single, spacing_mm: float, profile: Profile, geometry: Geometry, noise: Noise | None
) -> Single:
    """Scan basis maps (3, N, N) and return water path lengths in mm (views, channels)."""
    source, calibration = _calibrated(profile, geometry)
    lines = project(maps, spacing_mm, geometry, profile.detector.aperture_mm)
    signal = expected_signal(lines, source)
    current = tube_current(signal, profile.tube.modulation)
    scatter = residual_scatter(signal, profile.detector.scatter, geometry)
    readings = detect(signal, current, scatter, profile.detector, noise.rng if noise else None)
    if noise:
        readings *= noise.channel_gain
    return water_thickness(readings, signal.open_field, calibration)


def scan(
    anatomy: Anatomy, enhancement: float, profile: Profile, geometry: Geometry, noise: Noise | None
) -> tuple[Single, float]:
    """Scan an anatomy.

    Args:
        anatomy: one level of a body.
        enhancement: the body's factor on iodine uptake.
        profile: the scanner.
        geometry: its views and channels.
        noise: None for a scan without noise and rings.

    Returns:
        (512, 512) HU, and its pixel size in mm.
    """
    maps = basis_maps(anatomy.fractions, profile.contrast, enhancement)
    maps[0] += couch_fraction(profile.couch, anatomy.surface, anatomy.grid)
    water = acquire(maps, anatomy.grid.spacing_mm, profile, geometry, noise)
    fov = field_of_view(anatomy, profile.reconstruction.fov_margin_mm)
    hu = reconstruct(water, profile, fov, IMAGE_SIZE, geometry)
    return postprocess(hu, profile.reconstruction), fov / IMAGE_SIZE


def to_grid(
    hu: Single, spacing_mm: float, anatomy: Anatomy, grid: Grid
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """Bring an image and the anatomy's labels to the canonical grid."""
    image = resample(hu, Grid(len(hu), spacing_mm), grid, PADDING)
    labels = resample_labels(anatomy.labels, anatomy.grid, grid)
    return np.round(image).astype(np.int16), labels
