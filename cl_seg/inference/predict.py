"""Predicted masks of a CT series on its own pixels, with test-time augmentation."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from cl_seg.benchmark.preprocess import downsampled, windowed
from cl_seg.inference.series_pixels import SeriesPixels
from cl_seg.records.model_card import Input
from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.scans.resample import Placement, centre_grid, resample_image
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
    (test-time augmentation), are averaged; see
    :meth:`cl_seg.inference.series_pixels.SeriesPixels.labels` for the labels.

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
    on_series = SeriesPixels(volume, placement, coarse)
    copies = Copies(_transforms(n_augmentations), network_input.size)
    for image in volume.hu:
        hu = torch.from_numpy(resample_image(image, volume, placement, stored))[None]
        pixels = windowed(downsampled(hu, network_input.size), network_input.window_hu)
        probabilities = torch.cat([_probabilities(model, pixels, copies) for model in models])
        labels = [
            on_series.labels(probability.numpy())
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


class Copies:
    """Augmented copies of an image, and the way back.

    Args:
        transforms: (V, 2, 2).
        size: height and width of the image.
    """

    def __init__(self, transforms: Tensor, size: int) -> None:
        inverse = torch.linalg.inv(transforms)
        self._there, self._back = (_places(each, size) for each in (transforms, inverse))
        whole = torch.ones(len(transforms), 1, size, size)
        self._outside = _sampled(whole, self._back) < 1 - ROUNDING

    def of(self, image: Tensor) -> Tensor:
        """(V, C, S, S) copies of a (1, C, S, S) image."""
        return _sampled(image.expand(len(self._there), -1, -1, -1), self._there)

    def transformed_back(self, copies: Tensor) -> Tensor:
        """(V, C, S, S) copies on the pixels of the first; where they do not reach, the first."""
        return torch.where(self._outside, copies[:1], _sampled(copies, self._back))


def _places(transforms: Tensor, size: int) -> Tensor:
    affine = torch.cat([transforms, torch.zeros(len(transforms), 2, 1)], dim=2)
    return functional.affine_grid(affine, [len(transforms), 1, size, size], align_corners=False)


def _sampled(images: Tensor, places: Tensor) -> Tensor:
    return functional.grid_sample(images, places, align_corners=False)


def _probabilities(model: nn.Module, pixels: Tensor, copies: Copies) -> Tensor:
    """(V, C, S, S) softmax of every augmentation of a (1, 1, S, S) image, transformed back."""
    with eval_mode(model), torch.no_grad():
        probability = model(copies.of(pixels)).float().softmax(dim=1)
    return copies.transformed_back(probability)
