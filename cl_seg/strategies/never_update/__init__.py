"""Never update: the network of the first scanner for ever; a control."""

from cl_seg.strategies.strategy import Settings, Strategy

STRATEGY = Strategy(
    title="Never updated",
    settings=Settings,
    plugin="cl_seg.strategies.never_update.plugin:NeverUpdate",
    state_saved="not_needed",
)
