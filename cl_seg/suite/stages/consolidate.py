"""A consolidation: the strategy's state after an experience, such as Fisher information."""

from pathlib import Path
from typing import Any

from cl_seg.files.write import write_bytes
from cl_seg.runtime.serialise import to_bytes
from cl_seg.suite.cache import STRATEGY_STATE
from cl_seg.suite.stages.experience import experience, training_loop
from cl_seg.suite.stages.plugin_state import memory_footprint, restored_plugin
from cl_seg.suite.stages.work import Work
from cl_seg.training.stage import run_after_training_exp


def consolidate(work: Work, results: Path) -> dict[str, Any]:
    """Write the strategy's state."""
    position, plugin = work.stage.position, restored_plugin(work)
    run_after_training_exp(
        training_loop(work, position, [plugin]), experience(work, position), plugin
    )
    write_bytes(results / STRATEGY_STATE, to_bytes(plugin.state_dict()))
    return memory_footprint(plugin, work.context.image.size)
