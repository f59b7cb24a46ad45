"""A-GEM: no step against the gradient of stored slices."""

from cl_seg.strategies.shared.memory_settings import MemorySettings
from cl_seg.strategies.strategy import Strategy


class AGEMSettings(MemorySettings):
    """Averaged gradient episodic memory (Chaudhry et al. 2019, arXiv 1812.00420)."""


STRATEGY = Strategy(
    title="A-GEM",
    settings=AGEMSettings,
    plugin="cl_seg.strategies.agem.plugin:AGEM",
    settings_unused_by_consolidation=frozenset({"batch_share"}),
)
