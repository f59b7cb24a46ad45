"""Water disks with tissue inserts, scanned without a couch: material for closed-form checks."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.postprocessing import postprocess
from cl_seg.phantom.profiles import Profile, load_profile
from cl_seg.phantom.projection import Geometry
from cl_seg.phantom.reconstruction import reconstruct
from cl_seg.phantom.scanner import Noise, acquire
from cl_seg.phantom.tissues import basis_amounts

SIZE, SPACING = 600, 0.6  # mm
FOV = 400.0  # mm


def ideal(name: str = "siemens_like", **tube: Any) -> Profile:
    """A profile without scatter, rings, iterative look and miscalibration."""
    raw = load_profile(name).model_dump()
    raw["detector"] |= {"scatter": 0.0, "ring": 0.0}
    raw["reconstruction"] |= {"hu_offset": 0.0, "hu_gain": 1.0, "iterative_blend": 0.0}
    raw["tube"] |= tube
    return Profile.model_validate(raw)


def coordinates(size: int, spacing_mm: float) -> list[npt.NDArray[np.float64]]:
    axis = (np.arange(size) - (size - 1) / 2) * spacing_mm
    return np.meshgrid(axis, axis)


def cover(x: float, y: float, radius: float) -> npt.NDArray[np.float32]:
    """Share of each pixel inside a disk."""
    px, py = coordinates(SIZE, SPACING)
    distance = np.hypot(px - x, py - y) - radius
    return np.clip(0.5 - distance / SPACING, 0, 1).astype(np.float32)


def water_disk(
    radius: float, inserts: list[tuple[str, str, float, float, float]] = ()
) -> npt.NDArray[np.float32]:
    """Basis maps of a water disk with inserts (tissue, phase, x, y, radius)."""
    maps = np.zeros((3, SIZE, SIZE), np.float32)
    maps[0] = cover(0, 0, radius)
    for tissue, phase, x, y, size in inserts:
        inside = cover(x, y, size)
        amounts = basis_amounts(tissue, phase).astype(np.float32)
        maps = maps * (1 - inside) + amounts[:, None, None] * inside
    return maps


def image(
    maps: npt.NDArray[np.float32], profile: Profile, noise: Noise | None = None, size: int = 512
) -> npt.NDArray[np.float32]:
    """Scan and reconstruct basis maps with the default geometry."""
    water = acquire(maps, SPACING, profile, Geometry(), noise)
    return postprocess(reconstruct(water, profile, FOV, size, Geometry()), profile.reconstruction)


def mean_at(hu: npt.NDArray[np.float32], x: float, y: float, radius: float) -> float:
    px, py = coordinates(len(hu), FOV / len(hu))
    return float(hu[np.hypot(px - x, py - y) < radius].mean())


def silent(seed: int) -> Noise:
    """Quantum noise without rings."""
    return Noise(np.ones(Geometry().channels, np.float32), np.random.default_rng(seed))
