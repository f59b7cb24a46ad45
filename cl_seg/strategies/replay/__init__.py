"""Replay: part of every batch comes from a memory of earlier scanners."""

from cl_seg.strategies.shared.memory_settings import MemorySettings
from cl_seg.strategies.strategy import Strategy


class ReplaySettings(MemorySettings):
    """Replay of stored slices (Chaudhry et al. 2019, arXiv 1902.10486)."""


STRATEGY = Strategy(
    title="Replay",
    settings=ReplaySettings,
    plugin="cl_seg.strategies.replay.plugin:Replay",
    settings_unused_by_consolidation=frozenset({"batch_share", "batch"}),
)
