"""A consolidation: what a strategy keeps of an experience after it was trained on."""

from pathlib import Path
from typing import Any

from cl_seg.files.write import write_bytes
from cl_seg.runtime.tensor_bytes import to_bytes
from cl_seg.suite.cache import MEMORY
from cl_seg.suite.stages.experience import experience, training_loop
from cl_seg.suite.stages.strategy import memory_footprint, restored_plugin
from cl_seg.suite.stages.work import Work
from cl_seg.training.experience import consolidate_experience


def consolidate(work: Work, results: Path) -> dict[str, Any]:
    """Write what the strategy keeps."""
    position, plugin = work.stage.position, restored_plugin(work)
    consolidate_experience(
        training_loop(work, position, [plugin]), experience(work, position), plugin
    )
    write_bytes(results / MEMORY, to_bytes(plugin.state_dict()))
    return memory_footprint(plugin, work.context.image.size)
