"""Merges mask files, one per structure, into one label file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cl_seg.datasets.overlap import ClassOverlapAreas, Mask, merge_masks
from cl_seg.scans import nifti
from cl_seg.scans.series import UnusableError, Volume
from cl_seg.scans.store import UNLABELLED

_SAME_MM = 0.01  # masks of one image are written with the same header


def write_merged(
    path: Path, masks: Mapping[str, Sequence[Path]], classes: Sequence[str], slices_of: Path | None
) -> ClassOverlapAreas:
    """Write a label file with 0, the classes as 1, 2, … and 255 for unlabelled slices.

    Where masks overlap, the class that comes first has the pixel.

    Args:
        path: file to write.
        masks: class → mask files of its structures, not 0 inside.
        classes: all classes in the order of their values; those without masks have no pixel.
        slices_of: mask of a structure; only slices it is on are labelled. None for all slices.

    Returns:
        Areas in which the masks overlap.

    Raises:
        UnusableError: a mask cannot be read or lies on another grid, or no slice is labelled.
    """
    files = [slices_of] if slices_of else [file for named in masks.values() for file in named]
    if not files:
        raise UnusableError("it has no masks")
    values, like = _load(files[0], None)
    labelled = np.any(values != 0, axis=(1, 2)) if slices_of else np.ones(len(values), bool)
    if slices_of and not np.any(labelled):
        raise UnusableError(f"{_structure(slices_of)} is not in this image")
    unions = ((name, _union(masks[name], like)) for name in classes if masks.get(name))
    pixel_mm2 = like.spacing_mm[0] * like.spacing_mm[1]
    labels, overlap = merge_masks(unions, classes, values.shape, pixel_mm2)
    labels[~labelled] = UNLABELLED
    nifti.save(path, labels, like)
    return overlap


def _union(files: Sequence[Path], like: Volume) -> Mask:
    union = np.zeros(like.hu.shape, bool)
    for file in files:
        union |= _load(file, like)[0] != 0
    return union


def _load(path: Path, like: Volume | None) -> tuple[npt.NDArray[np.int32], Volume]:
    try:
        values, geometry = nifti.load_labels(path)
    except UnusableError as error:
        raise UnusableError(f"mask of {_structure(path)}: {error}") from error
    if like is not None and not _same_grid(geometry, like):
        raise UnusableError(f"the mask of {_structure(path)} is on another grid than the others")
    return values, geometry


def _same_grid(one: Volume, other: Volume) -> bool:
    return one.hu.shape == other.hu.shape and bool(
        np.allclose(one.z_mm, other.z_mm, atol=_SAME_MM)
        and np.allclose(one.spacing_mm, other.spacing_mm, atol=_SAME_MM)
        and np.allclose(one.origin_mm, other.origin_mm, atol=_SAME_MM)
    )


def _structure(path: Path) -> str:
    return path.name.partition(".")[0]
