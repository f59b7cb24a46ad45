"""Predicted masks of a CT series on its own pixels, with test-time augmentation."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
import torch
from torch import Tensor, nn
from torch.nn import functional

from cl_seg.benchmark.preprocess import downsampled, windowed
from cl_seg.records.model_card import Input
from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.scans.area_preserving_labels import upsample_labels
from cl_seg.scans.resample import Placement, centre_grid, grid_coverage, resample_image
from cl_seg.scans.series import Volume
from cl_seg.scans.store import Grid, Labels

ROTATION_DEGREES, ZOOM = 5.0, 0.05  # largest of the augmentations (engineering values)
NEGLIGIBLE = 0.01  # probability that counts as none (engineering value)
ROUNDING = 1e-4  # of weights that add up to one (float32)


@dataclass(frozen=True)
class SlicePrediction:
    """Prediction of one slice.

    Attributes:
        labels: (H, W) uint8 on the pixels of the series.
        augmented_labels: (V, H, W) uint8, the labels of every network and augmentation alone.
        expected_cm2: (V, C) float64, the sum of the probabilities of background and every class as
            an area, see :func:`expected_cm2`.
    """

    labels: Labels
    augmented_labels: Labels
    expected_cm2: npt.NDArray[np.float64]


def predict_slices(
    models: Sequence[nn.Module],
    network_input: Input,
    volume: Volume,
    n_augmentations: int = 0,
    placement: Placement | None = None,
) -> Iterator[SlicePrediction]:
    """Predict slice after slice.

    Probabilities of all networks, on the image and on slightly rotated and rescaled copies of it
    (test-time augmentation), are averaged. The largest decides on the pixels of the networks, and
    so how large every structure is; its outline is that of the probabilities interpolated on the
    pixels of the series.

    Args:
        models: networks of the same classes and input.
        network_input: of the networks.
        volume: the series.
        n_augmentations: augmented copies of every image, besides the image itself.
        placement: where the networks' grid lies over the series; by default over the body.

    Yields:
        One prediction per slice, in the order of the series.
    """
    stored = Grid(network_input.grid_size, network_input.spacing_mm)
    placement = placement or place_input(volume, network_input)
    coarse = Grid(
        network_input.size, network_input.spacing_mm * network_input.grid_size / network_input.size
    )
    transforms = _transforms(n_augmentations)
    for image in volume.hu:
        hu = torch.from_numpy(resample_image(image, volume, placement, stored))[None]
        pixels = windowed(downsampled(hu, network_input.size), network_input.window_hu)
        probabilities = torch.cat([_probabilities(model, pixels, transforms) for model in models])
        labels = [
            _labels(probability, volume, placement, coarse)
            for probability in (probabilities.mean(dim=0), *probabilities.unbind())
        ]
        yield SlicePrediction(
            labels[0], np.stack(labels[1:]), expected_cm2(probabilities, coarse.spacing_mm)
        )


def expected_cm2(probability: Tensor, spacing_mm: float) -> npt.NDArray[np.float64]:
    """Areas that probabilities add up to, found or not, in cm².

    Probabilities below ``NEGLIGIBLE`` are left out: over a whole body they would add up.

    Args:
        probability: (V, C, S, S).
        spacing_mm: pixel size.

    Returns:
        (V, C).
    """
    possible = torch.where(probability < NEGLIGIBLE, 0.0, probability)
    areas: npt.NDArray[np.float64] = possible.sum(dim=(2, 3)).double().cpu().numpy()
    return areas * spacing_mm**2 / 100


def place_input(volume: Volume, network_input: Input) -> Placement:
    """Place the networks' grid over a series: on its body."""
    return centre_grid(volume, Grid(network_input.grid_size, network_input.spacing_mm))


def _transforms(n_augmentations: int) -> Tensor:
    """(V + 1, 2, 2) rotation and zoom matrices, the first the identity; evenly spread, not random.

    Rotation alternates left and right, scale alternates larger and smaller; both grow pair by pair.
    """
    turns = [0.0]
    zooms = [1.0]
    for k in range(n_augmentations):
        part = (k // 2 + 1) / math.ceil(n_augmentations / 2)
        turns.append(math.radians(ROTATION_DEGREES) * (part if k % 2 else -part))
        zooms.append(1 + ZOOM * (part if k // 2 % 2 else -part))
    angle, zoom = torch.tensor(turns), torch.tensor(zooms)
    rows = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1)
    return rows.reshape(-1, 2, 2) * zoom[:, None, None]


def _probabilities(model: nn.Module, pixels: Tensor, transforms: Tensor) -> Tensor:
    """(V, C, S, S) softmax of every augmentation of a (1, 1, S, S) image, transformed back."""
    count = len(transforms)
    with eval_mode(model), torch.no_grad():
        augmented = _transformed(pixels.expand(count, -1, -1, -1), transforms)
        probability = model(augmented).float().softmax(dim=1)
    inverse = torch.linalg.inv(transforms)
    back = _transformed(probability, inverse)
    outside = _transformed(torch.ones_like(probability[:, :1]), inverse) < 1 - ROUNDING
    return torch.where(outside, probability[:1], back)


def _transformed(images: Tensor, transforms: Tensor) -> Tensor:
    affine = torch.cat([transforms, torch.zeros(len(transforms), 2, 1)], dim=2)
    grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def _labels(probability: Tensor, volume: Volume, placement: Placement, grid: Grid) -> Labels:
    """Labels (H, W) uint8 on the pixels of the series, background outside the grid."""
    fractions = probability.numpy()
    decided = (fractions.argmax(axis=0) == np.arange(len(fractions))[:, None, None]).astype(
        np.float32
    )
    on_series = [
        np.stack([_resample_back(fraction, volume, placement, grid) for fraction in each])
        for each in (fractions, decided)
    ]
    outside = np.isnan(on_series[0][0])
    for each in on_series:
        each[:, outside] = np.eye(len(fractions))[0][:, None]
    down, across = (
        fraction * grid.spacing_mm / spacing
        for fraction, spacing in zip(
            grid_coverage(volume, placement, grid), volume.spacing_mm, strict=True
        )
    )
    areas = np.array([down @ mask @ across for mask in decided])
    areas[0] += outside.size - areas.sum()
    return upsample_labels(on_series[0], on_series[1], areas).astype(np.uint8)


def _resample_back(
    values: npt.NDArray[np.float32], volume: Volume, placement: Placement, grid: Grid
) -> npt.NDArray[np.float32]:
    """(S, S) values on a grid placed over a series, interpolated linearly on the series' pixels.

    Args:
        values: on the grid.
        volume: the series.
        placement: where the grid lies over it.
        grid: of the values; any with the extent of the one that was placed.

    Returns:
        (H, W); NaN outside the grid.
    """
    source = sitk.GetImageFromArray(np.pad(values, 1, mode="edge"))
    source.SetSpacing([grid.spacing_mm] * 2)
    corner = np.array(placement.centre_mm) - grid.spacing_mm * (grid.size + 1) / 2
    source.SetOrigin(corner[::-1].tolist())
    target = sitk.ResampleImageFilter()
    target.SetSize(volume.hu.shape[:0:-1])
    target.SetOutputSpacing(volume.spacing_mm[::-1])
    target.SetOutputOrigin(volume.origin_mm[::-1])
    target.SetInterpolator(sitk.sitkLinear)
    target.SetDefaultPixelValue(float("nan"))
    result: npt.NDArray[np.float32] = sitk.GetArrayFromImage(target.Execute(source))
    return result
