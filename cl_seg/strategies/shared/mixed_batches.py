"""Batches whose first part is new and whose second part is remembered."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler, default_collate


class RandomBatches:
    """Batches of one size from random permutations of a dataset, so many per pass.

    Attributes:
        dataset: the slices.
        drawn: indices of the latest batch.
    """

    def __init__(self, dataset: Any, size: int, count: int, generator: torch.Generator) -> None:
        self.dataset = dataset
        self.drawn: deque[int] = deque(maxlen=size)
        self._loader = DataLoader(
            dataset,
            batch_size=size,
            sampler=_RecordingSampler(dataset, size * count, generator, self.drawn),
            collate_fn=getattr(dataset, "collate_fn", None) or default_collate,
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[list[Tensor]]:
        return iter(self._loader)


class _RecordingSampler(RandomSampler):
    """A random sampler of torch that records the indices it has drawn."""

    def __init__(
        self, dataset: Any, count: int, generator: torch.Generator, drawn: deque[int]
    ) -> None:
        super().__init__(dataset, num_samples=count, generator=generator)
        self._drawn = drawn

    def __iter__(self) -> Iterator[int]:
        for index in super().__iter__():
            self._drawn.append(index)
            yield index


class MixedBatches:
    """Zips two loaders of the same length into batches of new then remembered slices."""

    def __init__(self, new: RandomBatches, old: RandomBatches) -> None:
        self.new, self.old = new, old

    def __len__(self) -> int:
        return len(self.new)

    def __iter__(self) -> Iterator[list[Tensor]]:
        for new, old in zip(self.new, self.old, strict=True):
            yield [torch.cat(pair) for pair in zip(new, old, strict=True)]
