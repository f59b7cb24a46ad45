"""Settings of the strategies that keep slices, without torch."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from cl_seg.messages.errors import InputError
from cl_seg.strategies.strategy import Settings

Selection = Literal["random", "k-center", "typiclust", "entropy"]


class MemorySettings(Settings):
    """A memory of slices of earlier scanners: its size, its draws, and its share of a batch.

    Attributes:
        budget: slices in memory over all scanners seen; 16 unless ``percent`` is given.
        percent: instead of a budget, per cent of every scanner's slices.
        sampling: how a budget is divided, ``balanced`` equally between the scanners seen, or
            ``random`` in proportion to their slices, as a uniform sample of all would be.
        by: ``slice`` takes slices whoever they are of, ``patient`` takes patients in turn, so that
            as many of them as possible are in memory.
        select: which slices of a scanner are kept, ``random`` ones or the first of a ranking by
            the network that was just trained on them: ``k-center`` takes the slice whose features
            are farthest from those of all slices taken before (Sener & Savarese 2018, arXiv
            1708.00489), ``typiclust`` the most typical slice of every cluster of features (Hacohen
            et al. 2022, arXiv 2202.02794), ``entropy`` the slices whose softmax has the highest
            mean entropy.
        batch_share: part of the slices of every step drawn from memory once there is one.
        batch: ``shared`` divides a batch between new and replayed slices, so that a step sees as
            many slices as one of fine-tuning; ``added`` keeps a whole batch of new ones and adds
            the replayed ones, so that a step sees, and costs, more.
    """

    budget: PositiveInt | None = None
    percent: float | None = Field(default=None, gt=0, le=100)
    sampling: Literal["balanced", "random"] | None = None
    by: Literal["slice", "patient"] = "slice"
    select: Selection = "random"
    batch_share: float = Field(default=0.5, gt=0, lt=1)
    batch: Literal["shared", "added"] = "shared"

    @model_validator(mode="after")
    def _one_size(self) -> "MemorySettings":
        if self.percent is not None and (self.budget is not None or self.sampling is not None):
            raise PydanticCustomError(
                "size", "`percent` says how much every scanner keeps: no `budget`, no `sampling`"
            )
        return self

    @property
    def slices(self) -> int:
        """The budget in slices where there is no percentage."""
        return self.budget or 16

    @property
    def smallest_batch(self) -> int:
        """The smallest batch size that leaves a new slice in every step."""
        return 1 if self.batch == "added" else 1 + self._replayed(2)

    def slices_per_step(self, batch_size: int) -> tuple[int, int]:
        """New and replayed slices of a training step once there is a memory.

        Raises:
            InputError: no room is left for new slices.
        """
        if batch_size < self.smallest_batch:
            raise InputError(
                "a batch holds old and new slices: batch_size must be at least "
                f"{self.smallest_batch}, or `batch: added` must add the old ones"
            )
        replayed = self._replayed(batch_size)
        return (batch_size if self.batch == "added" else batch_size - replayed), replayed

    def _replayed(self, batch_size: int) -> int:
        if self.batch == "added":
            return max(1, round(self.batch_share / (1 - self.batch_share) * batch_size))
        return min(max(1, round(self.batch_share * batch_size)), batch_size - 1)
