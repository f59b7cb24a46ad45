"""A-GEM: no step against the gradient of stored slices."""

from pydantic import PositiveInt

from cl_seg.strategies.shared.memory_settings import MemorySettings
from cl_seg.strategies.strategy import Strategy


class AGEMSettings(MemorySettings):
    """Averaged gradient episodic memory (Chaudhry et al. 2019, arXiv 1812.00420).

    Attributes:
        reference_batch: slices of the reference batch; None for those that ``batch_share`` gives.
    """

    reference_batch: PositiveInt | None = None

    def _replayed(self, batch_size: int) -> int:
        return self.reference_batch or super()._replayed(batch_size)


STRATEGY = Strategy(
    title="A-GEM",
    settings=AGEMSettings,
    plugin="cl_seg.strategies.agem.plugin:AGEM",
    settings_unused_by_consolidation=frozenset({"batch_share", "batch", "reference_batch"}),
)
