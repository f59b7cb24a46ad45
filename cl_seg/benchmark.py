"""From a slice store to an Avalanche benchmark with one experience per scanner.

Batches are sliced by index from tensors (memory-mapped, or resident on the device): an Avalanche
dataset of ours answers ``__getitems__``, which torch's ``DataLoader`` calls once per batch.
"""

import copy
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
import torch
from avalanche.benchmarks.scenarios import CLScenario
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.benchmarks.utils.data_attribute import DataAttribute, TaskLabels
from avalanche.benchmarks.utils.flat_data import ConstantSequence
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from cl_seg.files.write import writable
from cl_seg.messages.errors import InputError
from cl_seg.scans.shares import labels_of_shares, shared_lengths
from cl_seg.scans.store import UNLABELLED, Labels, SliceStore, check_offers

CHUNK = 64  # slices resized at once, bounds the memory of the resize


@dataclass(frozen=True)
class Task:
    """What the networks see and tell apart.

    Attributes:
        classes: names of the foreground classes, in the order of the output channels 1, 2, ….
        image_size: height and width in pixels.
        window_hu: HU mapped to 0 and to 1.
    """

    classes: tuple[str, ...]
    image_size: int
    window_hu: tuple[float, float]


class TaskImages:
    """The slices of a store as a task sees them: resized, labels in the task's order.

    A scanner is read when first asked for and kept.

    Raises:
        InputError: the store lacks a class, or its slices are smaller than the task's images.
    """

    def __init__(self, store: SliceStore, task: Task, device: torch.device) -> None:
        self.store, self.task, self.device = store, task, device
        self._kept: dict[str, tuple[Tensor, Tensor]] = {}
        self._truth: dict[str, Tensor] = {}
        header = store.header
        check_offers(header, store.folder, task.classes, task.image_size)
        self._lookup = torch.zeros(256, dtype=torch.uint8)
        self._lookup[UNLABELLED] = UNLABELLED
        for channel, name in enumerate(task.classes, start=1):
            self._lookup[header.classes.index(name) + 1] = channel

    def scanner(self, name: str) -> tuple[Tensor, Tensor]:
        """(N, S, S) int16 HU and (N, S, S) uint8 labels of one scanner, on the device.

        On the CPU these are memory-mapped files: the store's own where it has the task's size and
        classes, else temporary ones, so that memory does not grow with the number of slices where
        the folder for temporary files (``TMPDIR``) is on a disk.

        Raises:
            InputError: that folder is full.
        """
        if name not in self._kept:
            images, masks = torch.from_numpy(self.store.hu(name)), self.truth(name)
            size = self.task.image_size
            if masks.shape[-1] != size:
                seen = (reduced_labels(chunk, size) for chunk in masks.split(CHUNK))  # type: ignore[no-untyped-call]
                masks = in_temporary_file(seen, "uint8", (len(masks), size, size))
                seen = (reduced(chunk, size) for chunk in images.split(CHUNK))  # type: ignore[no-untyped-call]
                images = in_temporary_file(seen, "int16", (len(images), size, size))
            self._kept[name] = images.to(self.device), masks.to(self.device)
        return self._kept[name]

    def relabelled(self, masks: Mapping[str, Tensor]) -> "TaskImages":
        """The same images of some scanners, to be learned with other labels.

        Args:
            masks: scanner → (N, S, S) uint8 labels on the device.
        """
        other = copy.copy(self)
        other._kept = {name: (self.scanner(name)[0], own) for name, own in masks.items()}
        return other

    def truth(self, name: str) -> Tensor:
        """(N, H, W) uint8 labels of one scanner in the task's order, on the pixels of the store.

        Memory-mapped on the CPU: the store's own file where it has the task's classes.

        Raises:
            InputError: the folder for temporary files is full.
        """
        if name not in self._truth:
            labels = torch.from_numpy(self.store.labels(name))
            if self.task.classes != tuple(self.store.header.classes):
                known = (self._lookup[chunk.int()] for chunk in labels.split(CHUNK))  # type: ignore[no-untyped-call]
                labels = in_temporary_file(known, "uint8", tuple(labels.shape))
            self._truth[name] = labels
        return self._truth[name]


def in_temporary_file(chunks: Iterable[Tensor], dtype: str, shape: tuple[int, ...]) -> Tensor:
    """Chunks of a tensor, memory-mapped from a file without a name that is gone with the tensor.

    Raises:
        InputError: the folder for temporary files is full.
    """
    # Written, not assigned to a map, so that a full disk is an error and not a crash.
    with writable(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk.numpy().tobytes())
        file.flush()
        return torch.from_numpy(np.memmap(file, dtype, "r+", shape=shape))


def reduced(hu: Tensor, size: int) -> Tensor:
    """Average (N, H, H) int16 HU by area to (N, size, size), in whole HU."""
    lengths = torch.from_numpy(shared_lengths(hu.shape[-1], size))
    return (lengths @ hu.double() @ lengths.T / hu.shape[-1] ** 2).round().to(torch.int16)


def reduced_labels(labels: Tensor, size: int) -> Tensor:
    """(N, H, H) uint8 labels on (N, size, size) pixels, every label with the area it had.

    Unlabelled area counts as a label of its own; see
    :func:`cl_seg.scans.shares.labels_of_shares`.
    """
    lengths = shared_lengths(labels.shape[-1], size)
    small = np.empty((len(labels), size, size), np.uint8)
    for index, image in enumerate(labels.numpy()):
        values = np.unique(image)
        covered = np.stack([lengths @ (image == value) @ lengths.T for value in values])
        shares = covered / image.shape[-1] ** 2
        small[index] = values[labels_of_shares(shares, shares.sum(axis=(1, 2)))]
    return torch.from_numpy(small)


def windowed(hu: Tensor, window_hu: tuple[float, float]) -> Tensor:
    """(N, S, S) HU → (N, 1, S, S) float32 in 0…1, as networks see it."""
    low, high = window_hu
    return ((hu.float() - low) / (high - low)).clamp_(0, 1).unsqueeze(1)


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
        self._arrays = [images.scanner(name) for name in names]
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
        return in_temporary_file(each, "uint8", (len(self), size, size)).numpy()

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
        return windowed(hu, self.window), labels.long()


class Batch(list[list[Tensor]]):
    """A list of [image, mask, task label] items, as torch's default collate expects, that also
    keeps the tensors they are views of, so that :func:`collate` need not stack them again.
    """

    def __init__(self, images: Tensor, masks: Tensor) -> None:
        self.tensors = [images, masks, torch.zeros(len(images), dtype=torch.int64)]
        super().__init__(map(list, zip(*self.tensors, strict=True)))


class DenseDataset(AvalancheDataset):  # type: ignore[misc]
    """An Avalanche dataset of slices that hands out whole batches.

    Items are [image, mask, task label]; the task label is always 0.
    """

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """A :class:`Batch` where all parts are SliceDatasets, else a list of items.

        Avalanche's transforms are not looked at: ours are none, augmentation is batched.
        """
        flat = self._flat_data
        if not all(isinstance(part, SliceDataset) for part in flat._datasets):
            return [self[i] for i in indices]
        if flat._indices is not None:
            indices = [flat._indices[i] for i in indices]
        ends = torch.tensor(flat._cumulative_sizes)
        chosen = torch.as_tensor(indices)
        part_of = torch.searchsorted(ends, chosen, right=True)
        starts = torch.cat([ends.new_zeros(1), ends])
        found = sorted(set(part_of.tolist()))
        batches = [flat._datasets[k].batch((chosen - starts[k])[part_of == k]) for k in found]
        back = torch.cat([torch.nonzero(part_of == k)[:, 0] for k in found]).argsort()
        images, masks = (torch.cat(pair)[back] for pair in zip(*batches, strict=True))
        return Batch(images, masks)


def collate(items: list[Any]) -> list[Tensor]:
    """The tensors of a :class:`Batch`, anything else by torch's default."""
    collated: list[Tensor] = items.tensors if isinstance(items, Batch) else default_collate(items)
    return collated


def dense_dataset(images: TaskImages, rows: pd.DataFrame) -> DenseDataset:
    """A selection of slices as an Avalanche dataset.

    Masks are never in an attribute called ``targets`` (Avalanche would hash them), and no
    experience carries ``task_labels`` (Avalanche would oversample). An attribute ``patients`` names
    the patient of every slice.

    Raises:
        InputError: no slice is selected.
    """
    if not len(rows):
        raise InputError("a selection of slices is empty: nothing to train or test on")
    slices = SliceDataset(images, rows)
    labels = TaskLabels(ConstantSequence(0, len(slices)))
    patients = DataAttribute(list(rows["patient"]), name="patients")
    return DenseDataset([slices], data_attributes=[labels, patients], collate_fn=collate)


Selections = Mapping[str, Sequence[pd.DataFrame]]


def dense_benchmark(images: TaskImages, selections: Selections) -> CLScenario:
    """An Avalanche benchmark from named streams of selections.

    Args:
        images: the store as the task sees it.
        selections: stream name (``train``, ``validation``, ``test``) → one selection of slices
            per experience.
    """
    return benchmark_from_datasets(
        **{
            name: [dense_dataset(images, rows) for rows in stream]
            for name, stream in selections.items()
        }
    )


def stream_selections(slices: pd.DataFrame, order: Sequence[str]) -> dict[str, list[pd.DataFrame]]:
    """Selections of a stream of scanners: one experience per scanner, in order.

    Args:
        slices: rows with a column ``part`` (train, validation, test).
        order: scanners.
    """
    return {
        part: [
            slices[(slices["scanner"] == scanner) & (slices["part"] == part)] for scanner in order
        ]
        for part in ("train", "validation", "test")
    }
