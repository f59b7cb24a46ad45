"""A training: from the state before an experience to the state after it."""

import time
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.files.write import write_bytes
from cl_seg.runtime.serialise import to_bytes
from cl_seg.strategies.registry import find_strategy
from cl_seg.suite.cache import CHECKPOINT, CURVE, CURVE_COLUMNS, STRATEGY_STATE, state_file
from cl_seg.suite.stages.experience import experience, training_loop
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.suite.stages.plugin_state import memory_footprint, plain_state, restored_plugin
from cl_seg.suite.stages.step_progress import StepProgress
from cl_seg.training.checkpoint import CheckpointPlugin, StopPlugin, read_checkpoint
from cl_seg.training.experience import train_experience
from cl_seg.training.validation_curve import ValidationCurve


def train(inputs: StageInputs, out: Path) -> dict[str, Any]:
    """Write the network after an experience, its validation curve, and the strategy's state."""
    stage, control = inputs.stage, inputs.control
    state_saved = find_strategy(inputs.run.strategy.name).state_saved
    partial = inputs.cache.working_folder(stage.key)
    file = partial / CHECKPOINT
    plugin = restored_plugin(inputs) if stage.uses_strategy else None
    if state_saved == "during_training":
        plain_state(plugin, inputs.run.strategy.name)
    acting = [] if plugin is None else [plugin]
    trained: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    earlier = 0.0  # seconds, in processes that were stopped
    for position in range(stage.first_position, stage.position + 1):
        started = time.perf_counter()
        curve = _validation_curve(inputs, position)
        progress = StepProgress(partial, curve, sum(t["steps"] for t in trained), stage.steps)
        if stage.resumable:
            saving = CheckpointPlugin(file, control.checkpoint_seconds, control.stop)
            loop = training_loop(inputs, position, [*acting, curve, progress, saving])
            loop.checkpoint = read_checkpoint(file)
            earlier = float(loop.checkpoint.get("seconds", 0.0))
        else:
            loop = training_loop(
                inputs, position, [*acting, curve, progress, StopPlugin(control.stop)]
            )
        loop.runs_after_training_exp = state_saved != "after_training"
        train_experience(loop, experience(inputs, position))
        inputs.adopt_model(loop.model)
        write_bytes(out / state_file(position), to_bytes(inputs.model.state_dict()))
        points += [{"stage": position, **row} for row in curve.rows]
        seconds = round(time.perf_counter() - started + earlier, 3)
        identity = {"position": position, "selection": inputs.run.training_set_name(position)}
        trained.append({**identity, "steps": loop.step, "seconds": seconds})
    kept = {}
    if state_saved == "during_training":
        write_bytes(out / STRATEGY_STATE, plain_state(plugin, inputs.run.strategy.name))
        kept = memory_footprint(plugin, inputs.context.image.size)
    pd.DataFrame(points, columns=CURVE_COLUMNS).to_parquet(out / CURVE, index=False)
    return {"trained": trained, "earlier": earlier, **kept}


def _validation_curve(inputs: StageInputs, position: int) -> ValidationCurve:
    """Of the validation slices of the scanners seen so far."""
    seen = [s for scanners in inputs.run.experiences[:position] for s in scanners]
    rows = {s: inputs.rows((s, "validation")) for s in seen}
    slices = {s: SliceDataset(inputs.images, own) for s, own in rows.items() if len(own)}
    return ValidationCurve(slices, inputs.context.classes, inputs.context.training.curve_every)
