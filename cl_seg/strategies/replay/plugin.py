"""Experience replay."""

from typing import Literal

from cl_seg.strategies.replay import ReplaySettings
from cl_seg.strategies.shared.memory_settings import Selection
from cl_seg.strategies.shared.slice_memory import SliceMemory


class Replay(SliceMemory):
    """Experience replay with a fixed memory (Chaudhry et al. 2019, arXiv 1902.10486).

    Args:
        budget: slices in memory over all experiences; 16 unless ``percent`` is given.
        percent: instead of a budget, per cent of every experience's slices.
        sampling: ``balanced`` (default) or ``random`` division of a budget.
        by: draws ``slice`` by slice, or each ``patient`` in turn.
        select: ``random`` slices, or the first by ``k-center``, ``typiclust`` or ``entropy``.
        batch_share: part of the slices of every step drawn from memory.
        batch: ``shared`` by new and old slices, or old ones ``added`` to a batch of new ones.
        seed: of the draws.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(  # noqa: PLR0913
        self,
        *,
        budget: int | None = None,
        percent: float | None = None,
        sampling: Literal["balanced", "random"] | None = None,
        by: Literal["slice", "patient"] = "slice",
        select: Selection = "random",
        batch_share: float = 0.5,
        batch: Literal["shared", "added"] = "shared",
        seed: int = 0,
    ) -> None:
        settings = ReplaySettings.of_keywords(
            budget=budget,
            percent=percent,
            sampling=sampling,
            by=by,
            select=select,
            batch_share=batch_share,
            batch=batch,
        )
        super().__init__(settings, seed)
