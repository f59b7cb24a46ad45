"""Test objects of water and tissue, and the scanner under laboratory conditions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.physics.basis_materials import BASIS, basis_amounts
from cl_seg.phantom.physics.postprocessing import postprocess
from cl_seg.phantom.physics.projection import Geometry
from cl_seg.phantom.physics.reconstruction import reconstruct
from cl_seg.phantom.physics.scanner import Noise, acquire
from cl_seg.phantom.profiles import Profile

Single = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

GEOMETRY = Geometry()
REFERENCE = "siemens_like"  # where a law needs one scanner only


@dataclass(frozen=True)
class Field:
    """Sampling of an object and of its image.

    Attributes:
        object_size: width of the object in pixels.
        object_mm: its pixel size.
        image_size: width of the image in pixels.
        fov_mm: its field of view.
    """

    object_size: int = 600
    object_mm: float = 0.75
    image_size: int = 512
    fov_mm: float = 450.0

    @property
    def pixel_mm(self) -> float:
        """Pixel size of the image."""
        return self.fov_mm / self.image_size


WHOLE = Field()
ZOOM = Field(fov_mm=250.0)  # its Nyquist frequency, 1.02/mm, is beyond the detector's
DETAIL = Field(object_mm=0.3, fov_mm=250.0)  # edges finer than any kernel


@dataclass(frozen=True)
class Ellipse:
    """An ellipse: centre and semi-axes in mm, and the angle of the first one in radians."""

    x: float
    y: float
    a: float
    b: float
    angle: float = 0.0


@dataclass(frozen=True)
class Insert:
    """A tissue in a phase of contrast, and where it is."""

    tissue: str
    phase: str
    shape: Ellipse


def disk(radius: float, x: float = 0.0, y: float = 0.0) -> Ellipse:
    """A disk, in mm."""
    return Ellipse(x, y, radius, radius)


def share(shape: Ellipse, field: Field = WHOLE) -> Single:
    """Share of each pixel inside an ellipse, (N, N).

    The edge is a ramp one pixel wide across the distance to the ellipse (to first order in its
    curvature; Taubin 1991).
    """
    axis = (np.arange(field.object_size) - (field.object_size - 1) / 2) * field.object_mm
    x, y = np.meshgrid(axis - shape.x, axis - shape.y)
    cosine, sine = np.cos(shape.angle), np.sin(shape.angle)
    u, v = (x * cosine + y * sine) / shape.a, (y * cosine - x * sine) / shape.b
    level = np.hypot(u, v)
    gradient = np.hypot(u / shape.a, v / shape.b) / np.maximum(level, 1e-9)
    distance = (level - 1) / np.maximum(gradient, 1e-9)
    inside: Single = np.clip(0.5 - distance / field.object_mm, 0, 1).astype(np.float32)
    return inside


def chords(shape: Ellipse, geometry: Geometry = GEOMETRY) -> Floats:
    """Exact line integrals of an ellipse of value 1 in mm (Kak & Slaney 1988, eq. 3.5 and 3.8).

    Returns:
        (views, channels).
    """
    angles = np.arange(geometry.views)[:, None] * np.pi / geometry.views
    turned = angles - shape.angle
    width = (shape.a * np.cos(turned)) ** 2 + (shape.b * np.sin(turned)) ** 2
    centre = shape.x * np.cos(angles) + shape.y * np.sin(angles)
    offset = geometry.positions.astype(np.float64) - centre
    lines: Floats = 2 * shape.a * shape.b * np.sqrt(np.maximum(width - offset**2, 0)) / width
    return lines


def water(outline: Ellipse, inserts: Sequence[Insert] = (), field: Field = WHOLE) -> Single:
    """Basis maps (3, N, N) of water in an outline, with inserts."""
    maps = np.zeros((len(BASIS), field.object_size, field.object_size), np.float32)
    maps[0] = share(outline, field)
    for insert in inserts:
        inside = share(insert.shape, field)
        amounts = basis_amounts(insert.tissue, insert.phase).astype(np.float32)
        maps = maps * (1 - inside) + amounts[:, None, None] * inside
    return maps


def laboratory(profile: Profile, **tube: float) -> Profile:
    """A profile whose only imperfection is quantum noise.

    It has no scatter, rings, electronic noise, tube-current modulation, hybrid iterative
    appearance or miscalibration.

    Args:
        profile: the scanner.
        tube: settings of its tube to replace.
    """
    clean = {"scatter": 0.0, "ring": 0.0, "electronic_noise_kev": 0.0}
    plain = {"iterative_blend": 0.0, "hu_gain": 1.0, "hu_offset": 0.0}
    sections = {
        "tube": profile.tube.model_copy(update={"modulation": 0.0, **tube}),
        "detector": profile.detector.model_copy(update=clean),
        "reconstruction": profile.reconstruction.model_copy(update=plain),
    }
    return profile.model_copy(update=sections)


def with_slice(profile: Profile, slice_mm: float) -> Profile:
    """A profile with another slice thickness."""
    detector = profile.detector.model_copy(update={"slice_mm": slice_mm})
    return profile.model_copy(update={"detector": detector})


def image(
    maps: Single, profile: Profile, field: Field = WHOLE, seed: Sequence[int] | None = None
) -> Single:
    """Scan basis maps and reconstruct them to HU.

    Args:
        maps: (3, N, N) basis amounts on the object's grid.
        profile: the scanner.
        field: sampling of object and image.
        seed: of quantum noise; None for a scan without noise.

    Returns:
        (image_size, image_size) HU.
    """
    noise = None
    if seed is not None:
        gain = np.ones(GEOMETRY.channels, np.float32)
        noise = Noise(gain, np.random.default_rng(seed))
    lines = acquire(maps, field.object_mm, profile, GEOMETRY, noise)
    hu = reconstruct(lines, profile, field.fov_mm, field.image_size, GEOMETRY)
    return postprocess(hu.astype(np.float32), profile.reconstruction)
