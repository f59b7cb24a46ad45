"""Finds the body in a series, and the slices that show only a part of its cross-section."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cl_seg.scans.series import Volume
from cl_seg.scans.store import HU

_TISSUE_HU = -300  # between air and fat (engineering value)
_COARSE_MM = 4.0  # pixel size at which the body is searched (engineering value)
_EDGE_MM = 20.0  # of body along an edge from which on it is truncated (engineering value)
Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Body:
    """The largest piece of tissue of a series, at about 4 mm; table and clothes are opened away.

    Attributes:
        mask: (N, H, W) bool.
        hu: (N, H, W) int16, the sampled series.
        first_mm: (y, x) centre of its first pixel, LPS mm.
        step_mm: (y, x) distance of its pixels, mm.
    """

    mask: Mask
    hu: HU
    first_mm: Vector
    step_mm: Vector


def find_body(volume: Volume) -> Body:
    """The body of a series; an empty mask where there is no tissue."""
    spacing = np.array(volume.spacing_mm)
    stride = np.maximum(1, np.rint(_COARSE_MM / spacing)).astype(int)
    hu = volume.hu[:, :: stride[0], :: stride[1]]
    tissue = ndimage.binary_opening(hu > _TISSUE_HU, np.ones((1, 5, 5), bool))
    pieces, count = ndimage.label(tissue)
    if count:
        tissue = pieces == int(np.bincount(pieces.ravel())[1:].argmax()) + 1
    return Body(tissue, hu, np.array(volume.origin_mm), stride * spacing)


def box_mm(body: Body) -> tuple[Vector, Vector]:
    """Corners (y, x) in mm of the box around a body in all slices; both the middle without one."""
    boxes = ndimage.find_objects(body.mask.astype(np.uint8))
    if not boxes:
        middle = body.first_mm + body.step_mm * (np.array(body.mask.shape[1:]) - 1) / 2
        return middle, middle
    _, rows, columns = boxes[0]
    low = body.first_mm + body.step_mm * (np.array([rows.start, columns.start]) - 0.5)
    high = body.first_mm + body.step_mm * (np.array([rows.stop, columns.stop]) - 0.5)
    return low, high


def extends_beyond(body: Body, centre_mm: Vector, width_mm: float) -> Mask:
    """Slices in which a body extends beyond a square or beyond its image.

    The image ends at its sides, or, where everything outside its inscribed circle has one value
    (the padding of what a scanner does not reconstruct), at that circle.

    Args:
        body: of a series.
        centre_mm: (y, x) of the square.
        width_mm: of the square.

    Returns:
        (N,) bool.
    """
    offset_mm = np.moveaxis(np.indices(body.mask.shape[1:]), 0, -1) * body.step_mm
    last, step = offset_mm[-1, -1], float(body.step_mm.max())
    outside = np.any(np.abs(body.first_mm + offset_mm - centre_mm) > width_mm / 2, axis=-1)
    outside |= np.any((offset_mm == 0) | (offset_mm == last), axis=-1)
    from_middle = np.linalg.norm(offset_mm - last / 2, axis=-1)
    radius = float(last.min()) / 2
    padding = body.hu[:, from_middle > radius + step]
    if padding.size and np.ptp(padding) == 0:
        outside |= from_middle > radius - step
    truncated: Mask = (body.mask & outside).sum(axis=(1, 2)) * step > _EDGE_MM
    return truncated
