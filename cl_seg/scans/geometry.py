"""Geometry of a DICOM series, checked by us: image libraries only warn and invent a spacing."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cl_seg.scans.series import UnusableError

MAX_TILT_DEG = 1.0
"""Planes further than this from axial are refused (engineering value)."""

SIDE_PIXELS = 4096
"""Rows or columns of the largest images that are read (engineering value)."""

VOXELS = 2**30
"""Voxels of the largest volume: 4096 slices of 512 × 512 (engineering value)."""

PIXEL_MM = (0.01, 100.0)
"""Smallest and largest distance of voxels that a CT may have (engineering values)."""

FARTHEST_MM = 1e5
"""From the origin of the patient's coordinates (engineering value)."""

SAME_MM = 0.01
"""Positions and spacings closer than this are equal: DICOM headers round them to decimal text."""


@dataclass(frozen=True)
class Plane:
    """Position and orientation of one slice in the patient (LPS, mm).

    Attributes:
        position: centre of the first pixel, ImagePositionPatient.
        directions: (6,) ImageOrientationPatient: of increasing column, then of increasing row.
        spacing: (row, column) PixelSpacing.
        shape: (rows, columns).
        tilt_deg: GantryDetectorTilt, 0 when absent.
    """

    position: tuple[float, ...]
    directions: tuple[float, ...]
    spacing: tuple[float, ...]
    shape: tuple[int, int]
    tilt_deg: float = 0.0


def check_plane(plane: Plane) -> None:
    """Refuse a slice that is not axial.

    Nothing has been allocated for its pixels yet: what a header asks for may be anything.

    Raises:
        UnusableError: too large, sagittal, coronal, oblique or tilted, or numbers without sense.
    """
    numbers = [*plane.position, *plane.directions, *plane.spacing, plane.tilt_deg]
    if [len(plane.position), len(plane.directions), len(plane.spacing)] != [3, 6, 2]:
        raise UnusableError("position, orientation or pixel spacing is incomplete")
    if not np.all(np.isfinite(numbers)) or min(plane.spacing) <= 0 or min(plane.shape) < 1:
        raise UnusableError("position, orientation or pixel spacing is not a sensible number")
    check_size(plane.shape)
    check_spacing_and_position(plane.spacing, plane.position)
    across, down = np.reshape(plane.directions, (2, 3))
    normal = np.abs(np.cross(across, down))
    length = float(np.linalg.norm(normal))
    if length < 0.9 or abs(across[0]) < 0.5 or normal[2] < 0.5 * length:
        raise UnusableError("not axial: rows must run left-right and slices head-foot")
    tilt = max(float(np.degrees(np.arccos(min(1.0, normal[2] / length)))), abs(plane.tilt_deg))
    if tilt > MAX_TILT_DEG:
        raise UnusableError(f"tilted by {tilt:.1f}° (gantry tilt or oblique): resample it first")
    turn = float(np.degrees(np.arccos(min(1.0, abs(across[0])))))
    if turn > MAX_TILT_DEG:
        raise UnusableError(f"turned by {turn:.1f}° in the plane: resample it first")


def check_size(shape: Sequence[int]) -> None:
    """Refuse an image that is larger than any CT, before memory is taken for it.

    Args:
        shape: (rows, columns) or (slices, rows, columns).

    Raises:
        UnusableError: too many rows, columns or voxels.
    """
    if max(shape[-2:]) > SIDE_PIXELS or math.prod(shape) > VOXELS:
        raise UnusableError(
            f"is an image of {' × '.join(map(str, shape))}, larger than any CT (up to {SIDE_PIXELS}"
            f" rows and columns, {VOXELS} voxels)"
        )


def check_spacing_and_position(spacing: Sequence[float], position: Sequence[float]) -> None:
    """Refuse voxel sizes and positions in mm that no CT has.

    Raises:
        UnusableError: naming them.
    """
    low, high = PIXEL_MM
    if not all(low <= mm <= high for mm in spacing):
        listed = " × ".join(f"{mm:g}" for mm in spacing)
        raise UnusableError(f"voxels {listed} mm apart: expected {low:g} to {high:g} mm")
    if not all(abs(mm) <= FARTHEST_MM for mm in position):
        listed = ", ".join(f"{mm:g}" for mm in position)
        raise UnusableError(f"lies at ({listed}) mm, farther than {FARTHEST_MM:g} mm: wrong header")


def check_series(planes: list[Plane], files: Sequence[Path] = ()) -> None:
    """Refuse slices that do not form one stack.

    Args:
        planes: sorted by z.
        files: of the planes, to be named in messages.

    Raises:
        UnusableError: mixed pixel spacing, size or orientation, repeated positions, or a shift
            from slice to slice.
    """
    spacings = {tuple(np.round(plane.spacing, 4)) for plane in planes}
    if np.ptp([plane.spacing for plane in planes], axis=0).max() > SAME_MM:
        listed = ", ".join(sorted(f"{row:g} × {column:g}" for row, column in spacings))
        raise UnusableError(f"mixed pixel spacing inside one series ({listed} mm): split it")
    if len({plane.shape for plane in planes}) > 1:
        raise UnusableError("mixed image sizes inside one series: split it")
    check_size((len(planes), *planes[0].shape))
    if np.ptp([plane.directions for plane in planes], axis=0).max() > SAME_MM:
        raise UnusableError("mixed orientations inside one series: split it")
    positions = np.array([plane.position for plane in planes])
    repeated = np.flatnonzero(np.diff(positions[:, 2]) < SAME_MM)
    if len(repeated):
        raise UnusableError(_repeated(len(repeated), positions[repeated[0], 2], repeated[0], files))
    shift = float(np.ptp(positions[:, :2], axis=0).max())
    if shift > 1.0:
        raise UnusableError(f"slices are shifted by up to {shift:.1f} mm against each other")


def _repeated(count: int, z_mm: float, index: int, files: Sequence[Path]) -> str:
    """Fault of a series with repeated positions, shown by the first of them."""
    occur = "slice positions occur" if count > 1 else "slice position occurs"
    example = f"z = {z_mm:g} mm"
    if pair := files[index : index + 2]:
        folder = os.path.commonpath([file.parent for file in pair])
        example += " in " + " and ".join(str(file.relative_to(folder)) for file in pair)
    return f"{count} {occur} more than once (several phases in one series?), as {example}: split it"


def corners_mm(
    origin: Sequence[float], spacing: Sequence[float], shape: Sequence[int]
) -> npt.NDArray[np.float64]:
    """(y, x) in mm of the centres of the first and of the last pixel of a slice, (2, 2).

    Two grids are compared by these corners, because a tiny difference of pixel sizes adds up to a
    visible shift of the last pixel.

    Args:
        origin: (y, x) of the first pixel's centre, mm.
        spacing: (row, column) distance of centres, mm.
        shape: (rows, columns).
    """
    first = np.asarray(origin, float)
    return np.stack([first, first + np.multiply(spacing, np.subtract(shape, 1))])


def to_lps(
    plane: Plane, stored: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], tuple[float, float]]:
    """Flip a stored slice (H, W) so that rows run to the back and columns to the patient's left.

    Returns:
        The image and the (y, x) position in mm of the centre of its pixel (0, 0).
    """
    rows, columns = plane.shape
    x, y = plane.position[:2]
    if plane.directions[0] < 0:
        stored, x = stored[:, ::-1], x - (columns - 1) * plane.spacing[1]
    if plane.directions[4] < 0:
        stored, y = stored[::-1], y - (rows - 1) * plane.spacing[0]
    return stored, (y, x)
