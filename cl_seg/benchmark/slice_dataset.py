"""Chosen slices of a store as a torch dataset of image and mask."""

from functools import cached_property

import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cl_seg.benchmark.preprocess import windowed
from cl_seg.benchmark.task_images import TaskImages, memory_mapped
from cl_seg.scans.store import Labels


class SliceDataset(Dataset[tuple[Tensor, Tensor]]):
    """Chosen slices of a store as (image, mask) pairs.

    Image: (1, S, S) float32 in 0…1. Mask: (S, S) int64, 0 background, 255 ignored.

    Args:
        images: the store as the task sees it.
        rows: rows of ``store.slices``, with columns ``scanner`` and ``row``.
    """

    def __init__(self, images: TaskImages, rows: pd.DataFrame) -> None:
        self.images = images
        self.rows = rows.reset_index(drop=True)
        self.window = images.task.window_hu
        names = list(pd.unique(self.rows["scanner"]))
        self._arrays = [images.images_and_masks(name) for name in names]
        self._array_of = torch.from_numpy(
            self.rows["scanner"]
            .map({n: i for i, n in enumerate(names)})
            .to_numpy("int64", copy=True)
        )
        self._row_of = torch.from_numpy(self.rows["row"].to_numpy("int64", copy=True))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, mask = self.batch(torch.tensor([index]))
        return image[0], mask[0]

    @cached_property
    def truth(self) -> Labels:
        """(N, H, W) uint8 labels on the pixels of the store, memory-mapped; 255 unknown.

        Raises:
            InputError: the folder for temporary files is full.
        """
        pairs = zip(self.rows["scanner"], self.rows["row"], strict=True)
        size = self.images.store.header.grid.size
        each = (self.images.truth(name)[int(row)] for name, row in pairs)
        return memory_mapped(each, "uint8", (len(self), size, size)).numpy()

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """(B,) int64 indices → (B, 1, S, S) images and (B, S, S) masks, on the device."""
        which, rows = self._array_of[indices], self._row_of[indices]
        if len(self._arrays) == 1:
            hu, labels = (array[rows] for array in self._arrays[0])
        else:
            first = self._arrays[0]
            hu, labels = (a.new_empty((len(indices), *a.shape[1:])) for a in first)
            for i in sorted(set(which.tolist())):
                here = which == i
                hu[here], labels[here] = (array[rows[here]] for array in self._arrays[i])
        hu, labels = map(self.images.on_device, (hu, labels))
        return windowed(hu, self.window), labels.long()
