"""Slices of a store as networks see them: averaged down to the size of the task, HU windowed."""

import numpy as np
import torch
from torch import Tensor

from cl_seg.scans.area_preserving_labels import assign_labels_by_fraction, overlap_lengths


def downsampled(hu: Tensor, size: int) -> Tensor:
    """Average (N, H, H) int16 HU by area to (N, size, size), in whole HU."""
    lengths = torch.from_numpy(overlap_lengths(hu.shape[-1], size))
    return (lengths @ hu.double() @ lengths.T / hu.shape[-1] ** 2).round().to(torch.int16)


def downsampled_labels(labels: Tensor, size: int) -> Tensor:
    """(N, H, H) uint8 labels on (N, size, size) pixels, every label with the area it had.

    Unlabelled area counts as a label of its own; see
    :func:`cl_seg.scans.area_preserving_labels.assign_labels_by_fraction`.
    """
    lengths = overlap_lengths(labels.shape[-1], size)
    small = np.empty((len(labels), size, size), np.uint8)
    for index, image in enumerate(labels.numpy()):
        values = np.unique(image)
        covered = np.stack([lengths @ (image == value) @ lengths.T for value in values])
        fractions = covered / image.shape[-1] ** 2
        small[index] = values[assign_labels_by_fraction(fractions, fractions.sum(axis=(1, 2)))]
    return torch.from_numpy(small)


def windowed(hu: Tensor, window_hu: tuple[float, float]) -> Tensor:
    """(N, S, S) HU → (N, 1, S, S) float32 in 0…1, as networks see it."""
    low, high = window_hu
    return ((hu.float() - low) / (high - low)).clamp_(0, 1).unsqueeze(1)
