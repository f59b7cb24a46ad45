"""Frozen statistics: batch norm keeps the statistics of the first scanner; a control."""

from cl_seg.strategies.strategy import Settings, Strategy

STRATEGY = Strategy(
    title="Frozen BN statistics",
    settings=Settings,
    plugin="cl_seg.strategies.frozen_statistics.plugin:FrozenStatistics",
    state_saved="not_needed",
)
