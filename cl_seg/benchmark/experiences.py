"""Avalanche datasets and streams of selections of slices.

Batches are sliced by index from tensors (memory-mapped, or kept on the device): the dataset
answers ``__getitems__``, which torch's ``DataLoader`` calls once per batch.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import default_collate

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import TaskImages
from cl_seg.messages.errors import InputError
from cl_seg.runtime.avalanche import (
    AvalancheDataset,
    CLScenario,
    DataAttribute,
    benchmark_from_datasets,
    one_task,
)


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

        Avalanche's transforms are not applied: there are none, augmentation is batched.
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
    labels = one_task(len(slices))
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
