"""Parallel-beam projection and back-projection by non-uniform FFT (Fourier slice theorem).

A parallel geometry equals a rebinned fan-beam one; the fan's geometry enters where it matters
(counts, bowtie, apertures). Only non-negative frequencies are transformed: images are real.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import finufft
import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft  # numpy's rfft takes three times as long

Single = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex64]

PRECISION = 1e-4  # relative, of the non-uniform FFT: 0.1 HU
EDGE_MM = 10.0  # of a projection, to which a cylinder is fitted at its end (engineering value)


@dataclass(frozen=True)
class Geometry:
    """Parallel views over 180°.

    Attributes:
        views: number of views.
        channels: number of detector channels (even).
        pitch_mm: distance of neighbouring rays at the isocentre.
    """

    views: int = 720
    channels: int = 1024
    pitch_mm: float = 0.5

    @cached_property
    def positions(self) -> Single:
        """Signed distance of each ray from the isocentre in mm, (channels,)."""
        return ((np.arange(self.channels) - self.channels // 2) * self.pitch_mm).astype(np.float32)

    @cached_property
    def frequencies(self) -> Single:
        """Non-negative detector frequencies in 1/mm, (channels // 2 + 1,)."""
        return np.fft.rfftfreq(self.channels, self.pitch_mm).astype(np.float32)

    @cached_property
    def ramp(self) -> Single:
        """Band-limited ramp filter in 1/mm (Kak & Slaney 1988, eq. 3.61), (channels + 1,).

        It is for projections padded with as many zeros: the filter reaches across the whole body,
        and must not wrap around the ends of the detector.
        """
        padded = 2 * self.channels
        offset = np.fft.fftfreq(padded, 1 / padded)
        kernel = np.zeros(padded)
        kernel[0] = 1 / (4 * self.pitch_mm**2)
        odd = offset % 2 != 0
        kernel[odd] = -1 / (np.pi * offset[odd] * self.pitch_mm) ** 2
        return (np.fft.rfft(kernel).real * self.pitch_mm).astype(np.float32)


def _turned(turns: npt.NDArray[np.floating[Any]]) -> Complex:
    """Unit numbers exp(2πi turns); whole turns are dropped before precision is."""
    angle = (2 * np.pi * (turns - np.rint(turns))).astype(np.float32)
    turned = np.empty(angle.shape, np.complex64)
    turned.real, turned.imag = np.cos(angle), np.sin(angle)
    return turned


class _Transform:
    """A planned non-uniform FFT between an image grid and the radial frequencies of a geometry."""

    def __init__(self, geometry: Geometry, size: int, spacing_mm: float, kind: int) -> None:
        angles = np.arange(geometry.views) * np.pi / geometry.views
        self.fx = np.outer(np.cos(angles), geometry.frequencies)
        self.fy = np.outer(np.sin(angles), geometry.frequencies)
        isign = 1 if kind == 1 else -1
        self.plan = finufft.Plan(
            kind, (size, size), eps=PRECISION, isign=isign, dtype="complex64", nthreads=1,
            spread_sort=int(kind == 1),  # interpolating gains nothing from it: rays are in order
        )  # fmt: skip
        step = 2 * np.pi * spacing_mm
        # finufft keeps pointers to the points: they must live as long as the plan.
        self.points = [(step * f).ravel().astype(np.float32) for f in (self.fy, self.fx)]
        self.plan.setpts(*self.points)
        # finufft puts pixel size//2 at the origin; ours lies in the middle of the image.
        centring = (0.5 if size % 2 == 0 else 0.0) * spacing_mm
        detector = geometry.frequencies * geometry.positions[0]
        turns = (self.fx + self.fy) * centring - detector
        self.phase = _turned(isign * turns)


@lru_cache(maxsize=4)
def _forward(geometry: Geometry, size: int, spacing_mm: float) -> _Transform:
    transform = _Transform(geometry, size, spacing_mm, kind=2)
    pixel = np.sinc(transform.fx * spacing_mm) * np.sinc(transform.fy * spacing_mm)
    transform.phase *= (pixel * spacing_mm**2 / geometry.pitch_mm).astype(np.float32)
    return transform


@lru_cache(maxsize=8)
def _backward(geometry: Geometry, size: int, spacing_mm: float) -> _Transform:
    return _Transform(geometry, size, spacing_mm, kind=1)


def project(
    images: Single,
    spacing_mm: float,
    geometry: Geometry,
    aperture_mm: float = 0.0,
    centre_mm: tuple[float, float] = (0.0, 0.0),
) -> Single:
    """Line integrals of images whose values are per mm.

    Args:
        images: (n, N, N).
        spacing_mm: pixel size.
        geometry: views and channels.
        aperture_mm: width of the ray, at the isocentre.
        centre_mm: (x, y) of the middle of the images, from the isocentre.

    Returns:
        (n, views, channels), in the units of the images times mm.
    """
    transform = _forward(geometry, images.shape[-1], spacing_mm)
    factor: Complex = transform.phase * np.sinc(geometry.frequencies * aperture_mm).astype(
        np.float32
    )
    if any(centre_mm):
        factor *= _turned(-(transform.fx * centre_mm[0] + transform.fy * centre_mm[1]))
    lines = np.zeros((len(images), geometry.views, geometry.channels), np.float32)
    for row, image in zip(lines, images, strict=True):
        if image.any():  # without contrast medium there is no iodine
            spectrum = transform.plan.execute(image.astype(np.complex64)).reshape(factor.shape)
            row[:] = irfft(spectrum * factor, geometry.channels)
    return lines


def extend_beyond_detector(sinogram: Single, geometry: Geometry) -> Single:
    """Projections padded to twice the channels for the ramp filter, (views, 2 channels).

    Beyond the detector a projection goes on as that of a cylinder of water with the same height and
    slope at the edge, as in scanners (Hsieh et al. 2004); cut off, it would brighten the edge of
    the field of view. The second half holds the right side first and the left side last, as a
    Fourier transform wraps around.

    Args:
        sinogram: (views, channels) mm of water.
        geometry: views and channels.
    """
    count, half = round(EDGE_MM / geometry.pitch_mm), geometry.channels // 2
    right = _water_cylinder(sinogram[:, -count:], half, geometry.pitch_mm)
    left = _water_cylinder(sinogram[:, count - 1 :: -1], half, geometry.pitch_mm)
    return np.concatenate([sinogram, right, left[:, ::-1]], axis=1)


def _water_cylinder(edge: Single, count: int, pitch_mm: float) -> Single:
    """Chords (views, count) of a cylinder of water that goes on from ``edge`` (views, n)."""
    inward = (np.arange(edge.shape[1], dtype=np.float32) + 1 - edge.shape[1]) * pitch_mm
    slope, height = np.polyfit(inward, edge.T, 1).astype(np.float32)
    height = np.maximum(height, 0)
    # The chord 2 √(R² − x²) has the slope −4 x / chord.
    place = np.maximum(-height * slope / 4, 0)[:, None]
    radius = np.hypot(height[:, None] / 2, place)
    distance = place + np.arange(1, count + 1, dtype=np.float32) * np.float32(pitch_mm)
    chords: Single = 2 * np.sqrt(np.maximum(radius**2 - distance**2, 0))
    return chords


def filtered_back_projection(
    sinogram: Single, window: Single, size: int, spacing_mm: float, geometry: Geometry
) -> Single:
    """Filtered back-projection.

    Args:
        sinogram: (views, channels) line integrals.
        window: (channels // 2 + 1,) factor on the ramp filter.
        size: width of the image in pixels.
        spacing_mm: pixel size.
        geometry: views and channels.

    Returns:
        (size, size), line integrals per mm.
    """
    transform = _backward(geometry, size, spacing_mm)
    spectrum = rfft(extend_beyond_detector(sinogram, geometry)) * geometry.ramp
    ramped = irfft(spectrum, 2 * geometry.channels)[:, : geometry.channels]
    doubled = window * np.float32(2)  # for the negative frequencies
    doubled[[0, -1]] /= 2
    filtered = rfft(ramped) * doubled
    image: Single = transform.plan.execute((filtered * transform.phase).ravel()).real
    return image * np.float32(np.pi / geometry.views / geometry.channels)
