"""Reads NIfTI volumes and label files in LPS axial orientation."""

import gzip
import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from cl_seg.scans.geometry import MAX_TILT_DEG, check_size
from cl_seg.scans.nifti_geometry import affine_mm, origin_notes
from cl_seg.scans.plausible_hu import sample, why_implausible
from cl_seg.scans.scanner.identity import ScannerHeader
from cl_seg.scans.series import Series, UnusableError, Volume, to_hu
from cl_seg.scans.slice_spacing import even_positions, evenly_spaced_segments

_LPS = nibabel.orientations.axcodes2ornt("LPS")
_LARGEST_LABEL = 2**24  # up to which float32 holds every whole number
_TRAILING = 2**20  # bytes after the voxels that are let pass
SUFFIXES = (".nii", ".nii.gz")
"""File names that are read as NIfTI."""


def is_nifti(path: Path) -> bool:
    """Whether the file name says NIfTI."""
    return path.name.lower().endswith(SUFFIXES)


def find_volume(path: Path, name: str, patient: str, scanner: str) -> Series:
    """A NIfTI volume as a series.

    Args:
        path: the file.
        name: salted hash that names the series.
        patient: salted hash of the patient.
        scanner: name of the scanner: the file does not say.

    Raises:
        UnusableError: no readable 3-D NIfTI, not axis-aligned, or without a geometry.
    """
    image, _, shape = _open(path)
    if np.allclose(np.abs(image.affine), np.eye(4), atol=1e-4):
        raise UnusableError(
            "has the identity matrix for a header, pixels of 1 mm at position 0, as files written "
            "without a geometry have: save it again with the spacing and origin of the CT"
        )
    return Series(
        path,
        patient,
        name,
        ScannerHeader(given_name=scanner),
        shape[2],
        math.nan,
        partial(load_nifti_volume, path),
        origin_notes(image),
    )


def load_nifti_volume(path: Path) -> Volume:
    """Read a CT volume in HU.

    Raises:
        UnusableError: unreadable, not 3-D, tilted, or NaN.
    """
    values, affine = _values(path)
    if not np.all(np.isfinite(values)):
        raise UnusableError("holds NaN or infinite values: replace them, e.g. by -1024")
    implausible = why_implausible([sample(image) for image in values])
    return replace(_volume(to_hu(values), affine), implausible=implausible)


def load_labels(path: Path) -> tuple[npt.NDArray[np.int32], Volume]:
    """Read a label file.

    Returns:
        (N, H, W) int32 label values, and their geometry as a volume without pixels.

    Raises:
        UnusableError: unreadable, not 3-D, tilted, or values that are not whole numbers.
    """
    values, affine = _values(path)
    whole = np.all(np.isfinite(values)) and np.all(values == np.rint(values))
    if not whole or np.abs(values).max() > _LARGEST_LABEL:
        raise UnusableError(f"label values must be whole numbers up to {_LARGEST_LABEL}")
    geometry = _volume(np.broadcast_to(np.int16(0), values.shape), affine)
    return values.astype(np.int32), geometry


def save(path: Path, values: npt.NDArray[np.uint8 | np.int16], geometry: Volume) -> None:
    """Write labels or HU on the pixels of a series.

    NIfTI has one distance between slices: slices lie where :func:`even_positions` moves them.

    Args:
        path: to write, .nii or .nii.gz.
        values: (N, H, W) uint8 or int16.
        geometry: the series.
    """
    row, column = geometry.spacing_mm
    y, x = geometry.origin_mm
    z_mm = even_positions(geometry.z_mm)
    step = z_mm[1] - z_mm[0] if len(z_mm) > 1 else 1.0
    affine = np.diag([-column, -row, step, 1.0])
    affine[:3, 3] = -x, -y, z_mm[0]
    image = nibabel.Nifti1Image(values.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


def lettered_segments(z_mm: npt.NDArray[np.float64]) -> list[tuple[str, slice]]:
    """Evenly spaced segments of ascending positions, since NIfTI has one distance per file.

    Returns:
        Letter and segment; the letter is "" where one segment holds all.
    """
    cuts = evenly_spaced_segments(z_mm)
    if len(cuts) == 1:
        return [("", cuts[0])]
    letters = (chr(ord("a") + k % 26) * (1 + k // 26) for k in range(len(cuts)))
    return list(zip(letters, cuts, strict=True))


def _open(path: Path) -> tuple[Any, npt.NDArray[np.float64], tuple[int, int, int]]:
    """The opened image, its affine from LPS-ordered voxels to RAS mm, and its LPS shape."""
    try:
        image = nibabel.load(path)
    except Exception as error:  # nibabel raises whatever the damage leads to
        raise UnusableError("cannot be read: not a NIfTI file, or a damaged one") from error
    if not isinstance(image, nibabel.Nifti1Image):
        raise UnusableError("cannot be read: not a NIfTI file in spite of its name")
    if len(image.shape) != 3 or min(image.shape) < 1:
        raise UnusableError(f"is {len(image.shape)}-D {image.shape}: expected one 3-D volume")
    if image.get_data_dtype().kind not in "iuf":
        raise UnusableError(
            f"its voxels are of the type {image.get_data_dtype()}: expected numbers"
        )
    stored = affine_mm(image)
    turn = _to_lps(stored)
    affine = stored @ nibabel.orientations.inv_ornt_aff(turn, image.shape)
    order = np.argsort(turn[:, 0])
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    tilt = float(np.degrees(np.arccos(np.clip(np.abs(np.diag(directions)).min(), 0, 1))))
    if tilt > MAX_TILT_DEG:
        raise UnusableError(f"tilted by {tilt:.1f}° against the patient axes: resample it first")
    width, height, slices = (image.shape[axis] for axis in order)
    check_size((slices, height, width))
    return image, affine, (width, height, slices)


def _to_lps(affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    stored = nibabel.orientations.io_orientation(affine)
    turn: npt.NDArray[np.float64] = nibabel.orientations.ornt_transform(stored, _LPS)
    return turn


def _values(path: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """(N, H, W) float32 values in LPS order, and the affine of (column, row, slice)."""
    image, affine, _ = _open(path)
    try:
        stored = image.get_fdata(dtype=np.float32, caching="unchanged")
        _check_stream(path, image)
    except UnusableError:
        raise
    except Exception as error:  # nibabel raises whatever the damage leads to
        raise UnusableError("its voxels cannot be read: truncated or damaged file") from error
    turned = nibabel.orientations.apply_orientation(stored, _to_lps(image.affine))
    return turned.transpose(2, 1, 0), affine


def _check_stream(path: Path, image: Any) -> None:
    """Read a compressed file to its end: its checksum comes after the voxels.

    Raises:
        UnusableError: it holds far more than its header says.
    """
    if path.suffix.lower() != ".gz":
        return
    voxels = math.prod(image.shape) * image.get_data_dtype().itemsize
    left = int(image.dataobj.offset) + voxels + _TRAILING
    with gzip.open(path) as stream:
        while piece := stream.read(2**20):
            left -= len(piece)
            if left < 0:
                raise UnusableError("holds more bytes than its header says: save it again")


def _volume(hu: npt.NDArray[np.int16], affine: npt.NDArray[np.float64]) -> Volume:
    # NIfTI counts x to the right and y to the front; we count to the left and to the back.
    column, row, step = np.abs(np.diag(affine)[:3])
    x, y, z = affine[:3, 3]
    positions = z + step * np.arange(len(hu))
    return Volume(hu, positions, (float(row), float(column)), (float(-y), float(-x)))
