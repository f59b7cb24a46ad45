"""Stale statistics: each scanner is scored with the batch-norm statistics it was learned with."""

from cl_seg.strategies.strategy import Settings, Strategy

STRATEGY = Strategy(
    title="Stale BN statistics",
    settings=Settings,
    plugin="cl_seg.strategies.stale_statistics.plugin:StaleStatistics",
    first_active_experience=None,
    scoring="per_scanner",
    former_name="statistics_per_scanner",
)
