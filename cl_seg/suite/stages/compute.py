"""A stage computed once, under a claim in the cache, whatever its kind."""

import time
from contextlib import suppress
from importlib import import_module

from cl_seg.files.write import write_json
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.context import StageContext, check_as_planned
from cl_seg.planning.stages import Stage
from cl_seg.strategies.registry import find_strategy
from cl_seg.suite.cache import METADATA, StageCache
from cl_seg.suite.peak_memory import begin_peak, peak_bytes
from cl_seg.suite.stages.consolidate import consolidate
from cl_seg.suite.stages.evaluate import evaluate
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.suite.stages.load import load
from cl_seg.suite.stages.rank import rank
from cl_seg.suite.stages.stop_control import StopControl
from cl_seg.suite.stages.train import train
from cl_seg.training.checkpoint import TrainingStopped

COMPUTE_KIND = {
    "load": load,
    "train": train,
    "consolidate": consolidate,
    "rank": rank,
    "evaluate": evaluate,
}


def compute_stage(stage: Stage, cache: StageCache, control: StopControl) -> None:
    """Compute a stage unless the cache has it, from what the cache holds.

    Raises:
        InputError: data, packages, source or device are not those the suite was planned with, the
            loss became non-finite, or the cache cannot be written.
        DamagedStage: a stage it starts from is damaged.
        TrainingStopped: it was asked to stop.
    """
    if control.stop():
        raise TrainingStopped
    with cache.claim(stage.key, control.stop) as out:
        if out is not None:
            import_named(stage.context)
            check_as_planned(stage.context)
            started = time.perf_counter()
            inputs = StageInputs(stage, cache, control)
            begin_peak(inputs.device)
            metadata = COMPUTE_KIND[stage.kind](inputs, out)
            check_as_planned(stage.context)
            cost = {
                "seconds": round(time.perf_counter() - started + metadata.pop("earlier", 0.0), 3),
                "peak_bytes": peak_bytes(inputs.device),
            }
            write_json(out / METADATA, {**inputs.metadata, **metadata, **cost})
            return
    if not cache.has(stage.key):
        raise TrainingStopped


def import_named(context: StageContext) -> None:
    """Import every network and strategy of a plan.

    Done before their source is compared with what the suite was planned with, so that what is
    computed afterwards is from that source. What cannot be imported fails where it is used.
    """
    builders = [NETWORKS[m.name].builder if m.name in NETWORKS else m.name for m in context.models]
    plugins = [find_strategy(s.name).plugin or "" for s in context.strategies]
    loaders = [model.loader for model in context.models]
    for target in filter(None, [*builders, *loaders, *plugins]):
        with suppress(Exception):
            import_module(target.partition(":")[0])
