"""Last steps of an image: calibration error, hybrid iterative appearance, limits and padding."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.profiles import Reconstruction

Floats = npt.NDArray[np.floating[Any]]

PADDING = -1024.0  # HU outside the field of view
LARGEST = 3071.0  # HU, of the 12 bits of a CT image
SOFT_TISSUE = (-300.0, 400.0)  # HU, range that is denoised (engineering value)


def postprocess(hu: Floats, settings: Reconstruction) -> Floats:
    """Apply calibration error, hybrid iterative appearance, limits and padding.

    Args:
        hu: (size, size) reconstructed HU.
        settings: of the scanner.

    Returns:
        (size, size) float32 HU, ``PADDING`` outside the circle of the field of view.
    """
    hu = hu * settings.hu_gain + settings.hu_offset
    if settings.iterative_blend:
        hu = hybrid_iterative(hu, settings.iterative_blend, settings.iterative_strength)
    hu = np.clip(hu, PADDING, LARGEST)
    return np.where(_field_of_view(len(hu)), hu, PADDING).astype(np.float32)


@cache
def _field_of_view(size: int) -> npt.NDArray[np.bool_]:
    """Pixels (size, size) within the circle of the field of view."""
    centred = np.arange(size) - (size - 1) / 2
    inside: npt.NDArray[np.bool_] = np.hypot.outer(centred, centred) <= size / 2
    return inside


def hybrid_iterative(hu: Floats, blend: float, strength: float) -> Floats:
    """Blend soft tissue with its total-variation denoised image.

    It gives the appearance of a hybrid iterative reconstruction, not its physics.

    Args:
        hu: (size, size).
        blend: share of the denoised image.
        strength: weight of the total variation in units of the noise.
    """
    low, high = SOFT_TISSUE
    smooth = denoise_tv(np.clip(hu, low, high), strength * noise_level(hu))
    return np.where((hu > low) & (hu < high), (1 - blend) * hu + blend * smooth, hu)


def noise_level(hu: Floats) -> float:
    """Noise in HU of the soft tissue: median absolute Laplacian (after Immerkær 1996)."""
    rows = hu[:-2] - 2 * hu[1:-1] + hu[2:]
    laplacian = (rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]) / 6
    soft = np.abs(hu[1:-1, 1:-1]) < 200
    # 1.4826 makes the median a standard deviation; 1.2 allows for correlated noise.
    return float(1.2 * 1.4826 * np.median(np.abs(laplacian[soft]))) if soft.any() else 0.0


def denoise_tv(image: Floats, weight: float, iterations: int = 30) -> Floats:
    """Total-variation denoising by projected dual gradient descent (Chambolle 2004).

    Args:
        image: (H, W).
        weight: weight of the total variation, in the units of the image.
        iterations: fixed, so that results are reproducible.
    """
    if weight <= 0:
        return image
    dual, gradient = np.zeros((2, 2, *image.shape), np.float32)
    target = image / np.float32(weight)
    for _ in range(iterations):
        residual = _divergence(dual)
        residual -= target
        residual *= np.float32(0.25)
        np.subtract(residual[1:], residual[:-1], out=gradient[0, :-1])
        np.subtract(residual[:, 1:], residual[:, :-1], out=gradient[1, :, :-1])
        dual += gradient
        gradient *= gradient
        length = np.sqrt(np.add(gradient[0], gradient[1], out=residual), out=residual)
        dual /= np.add(length, 1, out=length)
    smooth: Floats = image - np.float32(weight) * _divergence(dual)
    return smooth


def _divergence(dual: Floats) -> Floats:
    total: Floats = dual[0] + dual[1]
    total[1:] -= dual[0, :-1]
    total[:, 1:] -= dual[1, :, :-1]
    return total
