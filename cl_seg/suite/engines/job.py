"""A job in the process that computes it, and what became of it in words."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from cl_seg.messages.errors import InputError
from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.engines import Ended
from cl_seg.suite.schedule import Failure, Job, Schedule


@dataclass(frozen=True)
class JobEnd:
    """The end of a job.

    Attributes:
        finished: how many of its stages, from the first on.
        failure: of the stage after those, None when it was only stopped or put off.
        lost: key of damaged results that the stage after those would start from, or "".
    """

    finished: int
    failure: Failure | None = None
    lost: str = ""


def compute_job(
    job: Job, cache: StageCache, stop: Callable[[], bool], checkpoint_seconds: float
) -> JobEnd:
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
            from cl_seg.training.checkpoint import Stopped  # noqa: PLC0415

            try:
                compute_stage(stage, cache, StopControl(stop, checkpoint_seconds))
            except Stopped:
                return JobEnd(count)
        except DamagedStage as damaged:
            return JobEnd(count, lost=damaged.key)
        except InputError as error:
            return JobEnd(count, Failure(str(error)))
        except Exception as error:
            text = str(error).strip().splitlines()
            reason = f"{type(error).__name__}: {text[0] if text else ''}"
            return JobEnd(count, Failure(reason, traceback.format_exc()))
    return JobEnd(len(job))


def settle(job: Job, end: JobEnd, schedule: Schedule, ended: Ended) -> None:
    """Tell a schedule how a job ended.

    Args:
        job: taken from the schedule.
        end: of the job.
        schedule: takes back what is not finished.
        ended: called with every finished stage.
    """
    for stage in job[: end.finished]:
        ended(stage)
    rest = job[end.finished :]
    for stage in rest:
        schedule.put_back(stage)
    if end.failure is not None:
        schedule.fail(rest[0], end.failure)
    if end.lost:
        schedule.lose(end.lost)
