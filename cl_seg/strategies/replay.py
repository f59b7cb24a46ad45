"""Replay of stored slices: part of every batch comes from a memory of earlier scanners."""

import math
from collections import defaultdict, deque
from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler, default_collate

from cl_seg.messages.errors import InputError
from cl_seg.strategies.settings import MemorySettings


class Replay(SupervisedPlugin):  # type: ignore[misc]
    """Experience replay with a fixed memory (Chaudhry et al. 2019, arXiv 1902.10486).

    The memory holds indices into the experiences' own datasets, not pixels. When a new experience
    arrives, each older share is cut to its first slices, which are a random sample because the
    order was drawn at random. Memory slices pass through the same augmentation as new ones. A
    memory smaller than its part of the batch is drawn from with repetition instead of being
    switched off.

    Works in any Avalanche script: an experience is found through ``experience.origin_stream``.

    Args:
        settings: size of the memory and share of the batch.
        seed: of the draws.

    Attributes:
        memory: experience → indices kept of it.
        seen: experience → number of its slices.
        remembered: slices of every batch that come from memory, 0 before there is one.
    """

    def __init__(self, settings: MemorySettings, seed: int = 0) -> None:
        super().__init__()
        self.settings = settings
        self.seed = seed
        self.memory: dict[int, list[int]] = {}
        self.seen: dict[int, int] = {}
        self.remembered = 0

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Mix memory into the batches, from the second experience on."""
        self.remembered = 0
        if not self.memory:
            return
        size = strategy.train_mb_size
        if size < 2:
            raise InputError("replay mixes old and new slices: batch_size must be at least 2")
        self.remembered = min(max(1, round(self.settings.batch_share * size)), size - 1)
        new = size - self.remembered
        stream = strategy.experience.origin_stream
        stored = [stream[k].dataset.subset(indices) for k, indices in sorted(self.memory.items())]
        remembered = stored[0]
        for other in stored[1:]:
            remembered = remembered.concat(other)
        generator = self._generator(strategy.experience.current_experience, purpose=1)
        current = strategy.adapted_dataset
        steps = -(-len(current) // new)
        strategy.dataloader = MixedBatches(
            RandomBatches(current, new, steps, generator),
            RandomBatches(remembered, self.remembered, steps, generator),
        )

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Draw a random sample of the new experience and shrink the older shares."""
        position, dataset = strategy.experience.current_experience, strategy.experience.dataset
        generator = self._generator(position, purpose=0)
        order = torch.randperm(len(dataset), generator=generator).tolist()
        if self.settings.by == "patient":
            order = patients_in_turn(order, _patients(dataset))
        self.memory[position], self.seen[position] = order, len(dataset)
        shares = memory_shares(self.settings, self.seen)
        self.memory = {k: self.memory[k][: shares[k]] for k in self.memory if shares[k]}

    def state_dict(self) -> dict[str, Any]:
        """Plain data from which :meth:`load_state_dict` restores the memory."""
        return {
            "memory": {str(k): list(v) for k, v in self.memory.items()},
            "seen": {str(k): v for k, v in self.seen.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the memory."""
        self.memory = {int(k): [int(i) for i in v] for k, v in state["memory"].items()}
        self.seen = {int(k): int(v) for k, v in state["seen"].items()}

    def _generator(self, position: int, purpose: int) -> torch.Generator:
        seed = torch.Generator().manual_seed(self.seed)
        draws = torch.randint(2**62, (2 * position + 2,), generator=seed)
        return torch.Generator().manual_seed(int(draws[2 * position + purpose]))


class RandomBatches:
    """Batches of one size from random permutations of a dataset, so many per pass.

    Attributes:
        drawn: indices of the latest batch.
    """

    def __init__(self, dataset: Any, size: int, count: int, generator: torch.Generator) -> None:
        self.drawn: deque[int] = deque(maxlen=size)
        self._loader = DataLoader(
            dataset,
            batch_size=size,
            sampler=_Noting(dataset, size * count, generator, self.drawn),
            collate_fn=getattr(dataset, "collate_fn", None) or default_collate,
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[list[Tensor]]:
        return iter(self._loader)


class _Noting(RandomSampler):
    """Draws as torch's sampler does and notes what it has drawn."""

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


def memory_shares(settings: MemorySettings, seen: dict[int, int]) -> dict[int, int]:
    """Slices to keep of every experience.

    Args:
        settings: size of the memory and how it is divided.
        seen: experience → number of its slices.
    """
    if settings.percent is not None:
        return {k: math.ceil(settings.percent / 100 * count) for k, count in seen.items()}
    positions = sorted(seen)
    if settings.sampling == "random":
        return _proportional_shares(settings.slices, {k: seen[k] for k in positions})
    return _equal_shares(settings.slices, positions)


def _equal_shares(budget: int, positions: list[int]) -> dict[int, int]:
    share, rest = divmod(budget, len(positions))
    return {k: share + (i < rest) for i, k in enumerate(positions)}


def _proportional_shares(budget: int, seen: dict[int, int]) -> dict[int, int]:
    # Largest remainders, so that the budget is used up and nobody is more than one slice off.
    exact = {k: budget * count / sum(seen.values()) for k, count in seen.items()}
    shares = {k: math.floor(share) for k, share in exact.items()}
    by_remainder = sorted(exact, key=lambda k: (shares[k] - exact[k], k))
    for k in by_remainder[: budget - sum(shares.values())]:
        shares[k] += 1
    return shares


def patients_in_turn(order: list[int], patients: list[str]) -> list[int]:
    """Reorder indices so that every patient has one before any has two, keeping the order else.

    Args:
        order: indices into ``patients``.
        patients: of every index.
    """
    own: dict[str, list[int]] = defaultdict(list)
    for index in order:
        own[patients[index]].append(index)
    rounds = chain.from_iterable(zip_longest(*own.values()))
    return [index for index in rounds if index is not None]


def _patients(dataset: Any) -> list[str]:
    patients = getattr(dataset, "patients", None)
    if patients is None:
        raise InputError("replay `by: patient` needs a dataset that knows its patients")
    return [str(patient) for patient in patients]
