"""Matches the slices of a label file with those of its image."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cl_seg.messages.errors import InputError
from cl_seg.scans.geometry import corners_mm
from cl_seg.scans.series import Volume
from cl_seg.scans.slice_spacing import snap_to_even_spacing

_SAME_MM = 0.1  # an image and its labels may differ this much in the rounding of their headers
_HINT = "save the labels again with the header (affine) of their image"


def matching_slices(path: Path, image: Volume, labels: Volume, where: str) -> npt.NDArray[np.intp]:
    """Index of the label slice on each slice of an image, (N,).

    Args:
        path: the label file.
        image: its image.
        labels: geometry of the label file.
        where: start of error messages.

    Raises:
        InputError: the labels are on another grid, or their header is that of no image.
    """
    z_mm = snap_to_even_spacing(
        image.z_mm
    )  # labels may be written with the true distance of rounded positions
    nearest: npt.NDArray[np.intp] = np.abs(labels.z_mm[:, None] - z_mm[None]).argmin(axis=0)
    if (
        image.hu.shape[1:] != labels.hu.shape[1:]
        or np.abs(_corners(image) - _corners(labels)).max() > _SAME_MM
        or np.abs(labels.z_mm[nearest] - z_mm).max() > 0.25 * _step(labels)
    ):
        raise InputError(f"{where}: label file {path} {_fault(image, labels)}")
    return nearest


def _fault(image: Volume, labels: Volume) -> str:
    grids = f"{_grid(labels)} against {_grid(image)}"
    if is_identity(labels):
        seen, expected = labels.hu.shape, image.hu.shape
        turned = seen != expected and sorted(seen) == sorted(expected)
        axes = ", and its axes in the order of the image" if turned else ""
        return (
            "has the identity matrix for a header, pixels of 1 mm at position 0, which is that of "
            f"no image ({grids}): {_HINT}{axes}"
        )
    if labels.hu.shape == image.hu.shape:
        return (
            f"is on another grid than its image ({grids}), with as many pixels: if it was drawn on "
            f"this image its header is wrong, {_HINT}; else resample it to the image"
        )
    return f"is on another grid than its image ({grids}): resample the labels to the image first"


def is_identity(volume: Volume) -> bool:
    """Whether a header has pixels of 1 mm and its origin at 0, as files written without one do."""
    size, origin = np.array(volume.hu.shape), np.array([volume.z_mm[0], *volume.origin_mm])
    distances = [*np.diff(volume.z_mm), *volume.spacing_mm]
    # Along an axis that was turned to LPS the last pixel is the one at 0.
    at_zero = np.minimum(np.abs(origin), np.abs(origin + size - 1)) < 1e-3
    return bool(np.allclose(distances, 1, atol=1e-4) and at_zero.all())


def _step(volume: Volume) -> float:
    return float(np.median(np.diff(volume.z_mm))) if len(volume.z_mm) > 1 else _SAME_MM


def _corners(volume: Volume) -> npt.NDArray[np.float64]:
    return corners_mm(volume.origin_mm, volume.spacing_mm, volume.hu.shape[1:])


def _grid(volume: Volume) -> str:
    slices, rows, columns = volume.hu.shape
    row, column = volume.spacing_mm
    y, x = volume.origin_mm
    return (
        f"{columns} × {rows} × {slices}, pixels {column:.3g} × {row:.3g} mm, "
        f"corner ({x:.1f}, {y:.1f}, {volume.z_mm[0]:.1f}) mm"
    )
