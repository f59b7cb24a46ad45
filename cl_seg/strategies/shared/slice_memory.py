"""A memory of slices of earlier scanners, mixed into every batch."""

from functools import reduce
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch

from cl_seg.active_learning.embedding import embed
from cl_seg.active_learning.ranking import Candidates, rank
from cl_seg.messages.errors import InputError
from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.shared.memory_settings import MemorySettings
from cl_seg.strategies.shared.memory_shares import memory_shares, patients_in_turn
from cl_seg.strategies.shared.mixed_batches import MixedBatches, RandomBatches
from cl_seg.strategies.shared.returning_scanner import scanner_position


class SliceMemory(SupervisedPlugin):  # type: ignore[misc]
    """Keeps slices of every experience and mixes them into the batches of later ones.

    The memory holds indices into the experiences' own datasets, not pixels. Its slices are the
    first of an order, random or a ranking, whose beginning of any length is a choice of its own:
    when a new experience arrives, each older share is cut to its first slices. Memory slices pass
    through the same augmentation as new ones. A memory smaller than its part of the batch is drawn
    from with repetition instead of being switched off.

    A scanner that returns has one share: slices chosen anew replace those that were kept.

    Works in any Avalanche script: an experience is found through ``experience.origin_stream``.

    Args:
        settings: size of the memory and share of the batch.
        seed: of the draws.

    Attributes:
        memory: experience → indices kept of it; of a scanner that returns, under its first one.
        seen: likewise → number of its slices.
        memory_batch_size: slices of every step that come from memory, 0 before there is one.
    """

    def __init__(self, settings: MemorySettings, seed: int = 0) -> None:
        super().__init__()
        self.settings = settings
        self.seed = seed
        self.memory: dict[int, list[int]] = {}
        self.seen: dict[int, int] = {}
        self.memory_batch_size = 0

    @property
    def kept_slices(self) -> int:
        """Number of slices in the memory."""
        return sum(map(len, self.memory.values()))

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Mix memory into the batches, from the second experience on."""
        self.memory_batch_size = 0
        if not self.memory:
            return
        new, self.memory_batch_size = self.settings.slices_per_step(strategy.train_mb_size)
        generator = self._generator(strategy.experience.current_experience, purpose=1)
        current = strategy.adapted_dataset
        steps = -(-len(current) // new)
        strategy.dataloader = MixedBatches(
            RandomBatches(current, new, steps, generator),
            RandomBatches(self.remembered(strategy), self.memory_batch_size, steps, generator),
        )

    def remembered(self, strategy: Any) -> Any:
        """The slices in memory as a dataset, experience after experience."""
        stream = strategy.experience.origin_stream
        stored = [stream[k].dataset.subset(indices) for k, indices in sorted(self.memory.items())]
        return reduce(lambda first, other: first.concat(other), stored)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Choose slices of the new experience and shrink the older shares."""
        position, dataset = scanner_position(strategy.experience), strategy.experience.dataset
        self.seen[position] = len(dataset)
        shares = memory_shares(self.settings, self.seen)
        self.memory[position] = self._order(strategy, shares[position])
        self.memory = {k: self.memory[k][: shares[k]] for k in self.memory if shares[k]}

    def _order(self, strategy: Any, count: int) -> list[int]:
        """Slices of the experience, those to keep first; at least ``count`` of them."""
        dataset, select = strategy.experience.dataset, self.settings.select
        generator = self._generator(strategy.experience.current_experience, purpose=0)
        in_turn = self.settings.by == "patient"
        if select == "random":
            order = torch.randperm(len(dataset), generator=generator).tolist()
        else:
            features, entropy = embed(strategy.model, dataset.eval())
            seed = int(torch.randint(2**62, (1,), generator=generator))
            found = Candidates(features=features, entropy=entropy)
            order = rank(select, found, seed, None if in_turn else count)
        return patients_in_turn(order, _patients(dataset)) if in_turn else order

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


def _patients(dataset: Any) -> list[str]:
    patients = getattr(dataset, "patients", None)
    if patients is None:
        raise InputError("replay `by: patient` needs a dataset that knows its patients")
    return [str(patient) for patient in patients]
