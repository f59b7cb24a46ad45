"""A consolidation: updates a strategy's state after an experience was trained on."""

from pathlib import Path
from typing import Any

from cl_seg.files.write import write_bytes
from cl_seg.runtime.serialise import to_bytes
from cl_seg.suite.cache import STRATEGY_STATE
from cl_seg.suite.stages.experience import experience, training_loop
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.suite.stages.plugin_state import memory_footprint, restored_plugin
from cl_seg.training.experience import run_after_training_exp


def consolidate(inputs: StageInputs, out: Path) -> dict[str, Any]:
    """Write the strategy's state."""
    position, plugin = inputs.stage.position, restored_plugin(inputs)
    run_after_training_exp(
        training_loop(inputs, position, [plugin]), experience(inputs, position), plugin
    )
    write_bytes(out / STRATEGY_STATE, to_bytes(plugin.state_dict()))
    return memory_footprint(plugin, inputs.context.image.size)
