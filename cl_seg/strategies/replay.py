"""Replay of stored slices: part of every batch comes from a memory of earlier scanners."""

from collections.abc import Iterator
from typing import Any

import cl_seg.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler, default_collate

from cl_seg.files import InputError
from cl_seg.strategies.declared import ReplaySettings


class Replay(SupervisedPlugin):  # type: ignore[misc]
    """Experience replay with a fixed memory (Chaudhry et al. 2019, arXiv 1902.10486).

    The memory holds indices into the experiences' own datasets, not pixels. It is shared equally
    between the experiences seen: when a new one arrives, each older share is cut to its first
    slices, which are a random sample because the order was drawn at random. Memory slices pass
    through the same augmentation as new ones. A memory smaller than its part of the batch is drawn
    from with repetition instead of being switched off.

    Works in any Avalanche script: an experience is found through ``experience.origin_stream``.

    Args:
        settings: budget and share of the batch.
        seed: of the draws.
    """

    def __init__(self, settings: ReplaySettings, seed: int = 0) -> None:
        super().__init__()
        self.settings = settings
        self.seed = seed
        self.memory: dict[int, list[int]] = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Mix memory into the batches, from the second experience on."""
        if not self.memory:
            return
        size = strategy.train_mb_size
        if size < 2:
            raise InputError("replay mixes old and new slices: batch_size must be at least 2")
        old = min(max(1, round(self.settings.batch_share * size)), size - 1)
        new = size - old
        stream = strategy.experience.origin_stream
        stored = [stream[k].dataset.subset(indices) for k, indices in sorted(self.memory.items())]
        remembered = stored[0]
        for other in stored[1:]:
            remembered = remembered.concat(other)
        generator = self._generator(strategy.experience.current_experience, purpose=1)
        current = strategy.adapted_dataset
        steps = -(-len(current) // new)
        strategy.dataloader = MixedBatches(
            _random_batches(current, new, steps, generator),
            _random_batches(remembered, old, steps, generator),
        )

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Draw a random sample of the new experience and shrink the older shares."""
        position = strategy.experience.current_experience
        count = len(strategy.experience.dataset)
        order = torch.randperm(count, generator=self._generator(position, purpose=0))
        self.memory[position] = order.tolist()
        shares = _equal_shares(self.settings.budget, sorted(self.memory))
        self.memory = {k: self.memory[k][: shares[k]] for k in shares if shares[k]}

    def state_dict(self) -> dict[str, Any]:
        """Plain data from which :meth:`load_state_dict` restores the memory."""
        return {"memory": {str(k): list(v) for k, v in self.memory.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the memory."""
        self.memory = {int(k): [int(i) for i in v] for k, v in state["memory"].items()}

    def _generator(self, position: int, purpose: int) -> torch.Generator:
        seed = torch.Generator().manual_seed(self.seed)
        draws = torch.randint(2**62, (2 * position + 2,), generator=seed)
        return torch.Generator().manual_seed(int(draws[2 * position + purpose]))


class MixedBatches:
    """Zips two loaders of the same length into batches of new then remembered slices."""

    def __init__(self, new: DataLoader[Any], old: DataLoader[Any]) -> None:
        self.new, self.old = new, old

    def __len__(self) -> int:
        return len(self.new)

    def __iter__(self) -> Iterator[list[Tensor]]:
        for new, old in zip(self.new, self.old, strict=True):
            yield [torch.cat(pair) for pair in zip(new, old, strict=True)]


def _random_batches(
    dataset: Any, size: int, count: int, generator: torch.Generator
) -> DataLoader[Any]:
    sampler = RandomSampler(dataset, num_samples=size * count, generator=generator)
    return DataLoader(
        dataset,
        batch_size=size,
        sampler=sampler,
        collate_fn=getattr(dataset, "collate_fn", None) or default_collate,
    )


def _equal_shares(budget: int, positions: list[int]) -> dict[int, int]:
    share, rest = divmod(budget, len(positions))
    return {k: share + (i < rest) for i, k in enumerate(positions)}
