"""Settings of the strategies that keep slices, without torch."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from cl_seg.strategies.strategy import Settings


class MemorySettings(Settings):
    """A memory of slices of earlier scanners: its size, its draws, and its share of a batch.

    Attributes:
        budget: slices in memory over all scanners seen; 16 unless ``percent`` is given.
        percent: instead of a budget, per cent of every scanner's slices.
        sampling: how a budget is divided, ``balanced`` equally between the scanners seen, or
            ``random`` in proportion to their slices, as a uniform sample of all would be.
        by: ``slice`` draws slices at random, ``patient`` takes patients in turn, so that as many
            of them as possible are in memory.
        batch_share: part of every batch drawn from memory once there is one.
    """

    budget: PositiveInt | None = None
    percent: float | None = Field(default=None, gt=0, le=100)
    sampling: Literal["balanced", "random"] | None = None
    by: Literal["slice", "patient"] = "slice"
    batch_share: float = Field(default=0.5, gt=0, lt=1)

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
