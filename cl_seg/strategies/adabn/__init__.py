"""AdaBN: each scanner is scored with batch-norm statistics of its own unlabelled images."""

from cl_seg.strategies.strategy import Settings, Strategy

STRATEGY = Strategy(
    title="AdaBN",
    settings=Settings,
    plugin="cl_seg.strategies.adabn.plugin:AdaBN",
    first_active_experience=None,
    state_saved="not_needed",
    scoring="per_scanner",
)
