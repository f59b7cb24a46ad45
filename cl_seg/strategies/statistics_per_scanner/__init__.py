"""Statistics per scanner: each is scored with batch-norm statistics of its own; a control."""

from cl_seg.strategies.strategy import Settings, Strategy

STRATEGY = Strategy(
    title="BN statistics per scanner",
    settings=Settings,
    plugin="cl_seg.strategies.statistics_per_scanner.plugin:StatisticsPerScanner",
    first_active_experience=None,
    scoring="per_scanner",
)
