"""Computes a job, and records its outcome in the queue of stages."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from cl_seg.messages.errors import InputError
from cl_seg.messages.own_line import own_line
from cl_seg.planning.stages import Stage
from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.engines import OnFinished
from cl_seg.suite.stage_queue import Failure, Job, StageQueue

NO_GPU_MEMORY = (
    "OutOfMemoryError:",  # of torch's own allocator
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""What torch and NVIDIA's libraries say when a GPU's memory is full."""


@dataclass(frozen=True)
class JobOutcome:
    """Outcome of a job.

    Attributes:
        finished: how many of its stages, from the first on.
        failure: of the stage after those, None when it was only stopped or put off.
        damaged_key: of damaged results that the stage after those would start from, or "".
    """

    finished: int
    failure: Failure | None = None
    damaged_key: str = ""


def compute_job(
    job: Job, cache: StageCache, stop: Callable[[], bool], checkpoint_seconds: float
) -> JobOutcome:
    """Compute the stages of a job one after another, up to the first that fails.

    Args:
        job: stages that can be computed now.
        cache: where results go.
        stop: True when work shall stop after the current step.
        checkpoint_seconds: between two checkpoints of a training.
    """
    for count, stage in enumerate(job):
        try:
            from cl_seg.suite.stages.compute import compute_stage  # noqa: PLC0415 - imports torch
            from cl_seg.suite.stages.stop_control import StopControl  # noqa: PLC0415
            from cl_seg.training.checkpoint import TrainingStopped  # noqa: PLC0415

            try:
                compute_stage(stage, cache, StopControl(stop, checkpoint_seconds))
            except TrainingStopped:
                return JobOutcome(count)
        except DamagedStage as damaged:
            return JobOutcome(count, damaged_key=damaged.key)
        except InputError as error:
            return JobOutcome(count, Failure(str(error)))
        except Exception as error:
            text = str(error).strip().splitlines()
            reason = f"{type(error).__name__}: {text[0] if text else ''}{own_line(error)}"
            if any(sign in reason for sign in NO_GPU_MEMORY):
                reason = _what_takes_less_memory(stage)
            return JobOutcome(count, Failure(reason, traceback.format_exc()))
    return JobOutcome(len(job))


def _what_takes_less_memory(stage: Stage) -> str:
    context, model = stage.context, stage.run.model
    small = model.preset.startswith("small")
    preset = "" if small else f" a smaller preset of {model.name} (now {model.preset}),"
    return (
        f"the GPU's memory is full: try a smaller batch_size (now {context.training.batch_size}), a"
        f" smaller image size (now {context.image.size}),{preset} or a smaller "
        "--per-gpu if several processes share the GPU"
    )


def record_outcome(
    job: Job, outcome: JobOutcome, stage_queue: StageQueue, on_finished: OnFinished
) -> None:
    """Record the outcome of a job in the queue.

    Args:
        job: taken from the queue.
        outcome: of the job.
        stage_queue: takes back what is not finished.
        on_finished: called with every finished stage.
    """
    for stage in job[: outcome.finished]:
        on_finished(stage)
    rest = job[outcome.finished :]
    for stage in rest:
        stage_queue.put_back(stage)
    if outcome.failure is not None:
        stage_queue.fail(rest[0], outcome.failure)
    if outcome.damaged_key:
        stage_queue.mark_damaged(outcome.damaged_key)
