"""The geometry of NIfTI headers, which may hold it up to three times."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel.spatialimages import HeaderDataError

from cl_seg.scans.geometry import MAX_TILT_DEG, check_spacing_and_position
from cl_seg.scans.series import UnusableError

_SAME_SIZE = 0.005  # by which the sform's voxel sizes may differ from pixdim in rounding
_SAME_PLACE = 0.1  # of a voxel
_UNITS_MM = {1: 1e3, 3: 1e-3}  # NIfTI codes of metres and micrometres; anything else is mm


def affine_mm(image: Any) -> npt.NDArray[np.float64]:
    """Affine from the stored voxels of an opened NIfTI image to RAS in mm.

    Raises:
        UnusableError: the header says nothing, nothing possible, or two things.
    """
    if not image.header["sform_code"] and not image.header["qform_code"]:
        raise UnusableError(
            "does not say how it lies in the patient (sform_code and qform_code are 0), left may "
            "be right: save it again with its orientation"
        )
    affine: npt.NDArray[np.float64] = np.array(image.affine)
    _check_sizes(affine, image.header)
    affine[:3] *= _UNITS_MM.get(int(image.header["xyzt_units"]) % 8, 1.0)
    if not np.all(np.isfinite(affine)) or abs(np.linalg.det(affine)) < 1e-9:
        raise UnusableError("its affine is not a geometry: save it again with spacing and origin")
    check_spacing_and_position(
        np.linalg.norm(affine[:3, :3], axis=0).tolist(), affine[:3, 3].tolist()
    )
    return affine


def _check_sizes(affine: npt.NDArray[np.float64], header: Any) -> None:
    """Refuse a header that contradicts itself: ITK follows pixdim and qform, others the sform.

    Raises:
        UnusableError: the affine has other voxel sizes than pixdim, or the qform turns the image
            otherwise than the sform.
    """
    scales = np.linalg.norm(affine[:3, :3], axis=0)
    pixdim = np.abs(np.asarray(header["pixdim"][1:4], float))
    if not (np.all(np.isfinite(affine)) and np.all(scales > 0)):
        return  # no geometry at all, which is reported as such
    if not np.all(np.abs(scales - pixdim) <= _SAME_SIZE * scales):
        sform, sizes = (" × ".join(f"{mm:.4g}" for mm in three) for three in (scales, pixdim))
        raise UnusableError(
            f"its sform says voxels of {sform}, its pixdim {sizes}: areas depend on which is "
            "right; save it again with one geometry (3D Slicer and ITK read pixdim, nibabel the "
            "sform)"
        )
    qform = _second_form(header)
    if qform is None:
        return
    one, other = (each[:3, :3] / np.linalg.norm(each[:3, :3], axis=0) for each in (affine, qform))
    if not np.sum(one * other, axis=0).min() > math.cos(math.radians(MAX_TILT_DEG)):
        raise UnusableError(
            "its sform and its qform turn it differently, left may be right: save it again with "
            "one orientation"
        )


def _second_form(header: Any) -> npt.NDArray[np.float64] | None:
    """The qform of a file whose affine is its sform; None where it says nothing."""
    if not (header["sform_code"] and header["qform_code"]):
        return None
    try:
        qform: npt.NDArray[np.float64] = header.get_qform()
    except (ValueError, HeaderDataError):  # no rotation
        return None
    return qform


def origin_notes(image: Any) -> tuple[str, ...]:
    """A note where sform and qform differ in position only, on which no area depends."""
    qform = _second_form(image.header)
    if qform is None:
        return ()
    apart = float(np.linalg.norm(image.affine[:3, 3] - qform[:3, 3]))
    if apart <= _SAME_PLACE * float(image.header["pixdim"][1:4].min()):
        return ()
    return ("its sform and its qform place it differently: the place of the sform is taken",)
