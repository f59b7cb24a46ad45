"""Decodes the pixels of a DICOM series into Hounsfield units."""

import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels import get_decoder
from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

from cl_seg.scans.dicom.header import ImageHeader, number, read_fields
from cl_seg.scans.geometry import to_lps
from cl_seg.scans.plausible_hu import sample, why_implausible
from cl_seg.scans.series import HU_AIR, HU_MAX, RejectedFile, UnusableError, Volume, to_hu

_FIELDS = [
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames"),
    *("RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "PixelData"),
]
_STREAMS_OF_NUMBERS = {
    *(*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEG2000TransferSyntaxes),
}
_APART_HU = 5  # by which stored values of two slices agree better than their HU (engineering value)
_AIR_PADDING_HU = -1000  # a declared padding value inside the tissue range is not trusted


def load_dicom_volume(images: Sequence[ImageHeader]) -> Volume:
    """Decode one series; ``images`` are sorted by z and of one geometry.

    Raises:
        UnusableError: not a single file could be decoded.
    """
    rejected: list[RejectedFile] = []
    z_mm: list[float] = []
    samples: list[npt.NDArray[np.float32]] = []
    rescales: list[tuple[float, float]] = []
    hu = np.empty((len(images), *images[0].plane.shape), np.int16)
    for image in images:
        try:
            stored = decode(image.path)
        except UnusableError as error:
            rejected.append(RejectedFile(image.path, str(error)))
            continue
        values, origin = to_lps(image.plane, stored)
        hu[len(z_mm)] = to_hu(values)
        samples.append(sample(values))
        rescales.append(image.rescale)
        z_mm.append(image.plane.position[2])
    if not z_mm:
        raise UnusableError(rejected[0].reason)
    row, column = images[0].plane.spacing
    spacing = (row, column)
    implausible = why_implausible(samples) or _wrong_rescale(samples, rescales)
    return Volume(
        hu[: len(z_mm)], np.array(z_mm), spacing, origin, rejected, implausible=implausible
    )


def _wrong_rescale(
    samples: Sequence[npt.NDArray[np.float32]], rescales: Sequence[tuple[float, float]]
) -> str:
    """A note where neighbouring slices agree as stored values but not in HU.

    Then one of them lost its own values, or has those of another series.
    """
    for (one, other), pair in zip(pairwise(samples), pairwise(rescales), strict=True):
        inside = (one > HU_AIR) & (other > HU_AIR)
        if pair[0] == pair[1] or not inside.any():
            continue
        stored = [
            (hu[inside] - intercept) / slope
            for hu, (slope, intercept) in zip((one, other), pair, strict=True)
        ]
        apart = float(np.median(np.abs(one[inside] - other[inside])))
        if apart > float(np.median(np.abs(stored[0] - stored[1]))) * abs(pair[0][0]) + _APART_HU:
            said = " and ".join(f"{slope:g} · value {shift:+g}" for slope, shift in pair)
            return (
                f"slices side by side have the rescale values {said} and lie {apart:.0f} HU apart, "
                "but agree as stored: expected one scale of Hounsfield units; export them again "
                "with their own RescaleSlope and RescaleIntercept"
            )
    return ""


def decode(path: Path) -> npt.NDArray[np.float32]:
    """Pixels of one file as (H, W) float32 in HU, as stored; padding is -1024.

    Raises:
        UnusableError: the pixel data are missing, truncated or in an unknown compression.
    """
    file = read_fields(path, _FIELDS)
    try:
        with pydicom.config.disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(file)
    except UnusableError:
        raise
    except NotImplementedError as error:
        raise UnusableError("its pixel compression cannot be decoded") from error
    except Exception as error:
        raise UnusableError("pixel data are truncated or damaged") from error


def _decode(file: Any) -> npt.NDArray[np.float32]:
    syntax = file.file_meta.TransferSyntaxUID
    if not get_decoder(syntax).is_available:
        raise UnusableError(
            f"its pixel compression ({syntax.name}) cannot be decoded: decompress it first"
        )
    bits, high_bit = int(file.BitsStored), int(file.get("HighBit") or 0)
    if bits <= high_bit < file.BitsAllocated:
        file.BitsStored = file.BitsAllocated  # decoders would take the lowest bits of the cells
    file.pixel_array_options(correct_unused_bits=False)
    cells = file.pixel_array
    if cells.shape != (file.Rows, file.Columns):
        raise UnusableError("pixel data do not match the image size")
    stored = _stored_values(cells, bits, high_bit, syntax in _STREAMS_OF_NUMBERS)
    slope, intercept = number(file, "RescaleSlope", 1.0), number(file, "RescaleIntercept", 0.0)
    values: npt.NDArray[np.float32] = stored.astype(np.float32) * slope + intercept
    padding = file.get("PixelPaddingValue")
    if isinstance(padding, int) and not _AIR_PADDING_HU <= padding * slope + intercept <= HU_MAX:
        # The value may have been written with the wrong sign: compare bit patterns.
        pattern = np.array(padding).astype(stored.dtype)
        values[(stored == pattern) | (cells == pattern)] = HU_AIR
    return values


def _stored_values(
    cells: npt.NDArray[np.integer], bits: int, high_bit: int, are_numbers: bool
) -> npt.NDArray[np.integer]:
    """The stored values in pixel cells: ``bits`` bits up to ``high_bit`` (PS3.5 8.1.1).

    The other bits are not part of the image; older files keep overlays there. A JPEG stream holds
    numbers as a rule (``are_numbers``), but whole cells in some files.
    """
    allocated, bounds = 8 * cells.dtype.itemsize, np.iinfo(cells.dtype)
    unused = allocated - bits
    fits = bounds.min >> unused <= cells.min() and cells.max() <= bounds.max >> unused
    if not unused or (are_numbers and fits):
        return cells
    above = min(max(allocated - 1 - high_bit, 0), unused)
    values: npt.NDArray[np.integer] = np.right_shift(np.left_shift(cells, above), unused)
    return values
