"""A Slurm job on its node, and the file that holds its outcome."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from submitit.core.job_environment import JobEnvironment
from submitit.core.utils import DelayedSubmission

from cl_seg.files.json_file import read_json
from cl_seg.files.write import write_json
from cl_seg.planning.stages import Stage
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.job import JobOutcome, compute_job
from cl_seg.suite.stage_queue import Failure, Job

LOG_LINES = 60
NOT_RESUMABLE = (
    "it is trained in one piece, which takes longer than a job may: give a longer --time"
)


@dataclass
class StageJob:
    """A chain of stages that goes on where it was whenever it is started.

    Slurm's signal shortly before the time limit makes submitit call :meth:`checkpoint` and queue
    the job again; a job that is cancelled or preempted saves its progress first.

    Attributes:
        stages: in order.
        cache: where results go.
        folder: of the submission.
        path: where modules of the user's own are found.
        checkpoint_seconds: between two checkpoints of a training.
        out_of_time: True once the time limit is near.
    """

    stages: Job
    cache: StageCache
    folder: Path
    path: Sequence[str]
    checkpoint_seconds: float
    out_of_time: bool = False

    def __call__(self) -> None:
        """Compute the stages; anything but success ends the process with a code that says so."""
        stopping = False

        def stop(*_: Any) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, stop)
        sys.path[:] = dict.fromkeys([*self.path, *sys.path])
        file = end_file(self.folder, JobEnvironment().job_id)
        file.unlink(missing_ok=True)
        end = compute_job(self.stages, self.cache, lambda: stopping, self.checkpoint_seconds)
        if self.out_of_time:
            end = self.without_submitit(end)
        write_json(file, asdict(end))
        if end.finished < len(self.stages):
            sys.exit(1)  # so that Slurm starts none of the jobs that wait for this one

    def checkpoint(self) -> DelayedSubmission | None:
        """The job that is queued again: the same, or None where no progress was kept."""
        again = replace(self)
        self.out_of_time = True
        return DelayedSubmission(again) if self._under_way().resumable else None

    def _under_way(self) -> Stage:
        missing = (stage for stage in self.stages if not self.cache.has(stage.key))
        return next(missing, self.stages[-1])

    def without_submitit(self, end: JobOutcome) -> JobOutcome:
        """The end of a job that was not queued again: what submitit raised is no stage's failure.

        The stage starts from its checkpoint in another job; one that has none never would end.
        """
        if end.finished < len(self.stages) and not self.stages[end.finished].resumable:
            return JobOutcome(end.finished, Failure(NOT_RESUMABLE))
        return JobOutcome(end.finished)


def end_file(folder: Path, job_id: str) -> Path:
    """File of a job's outcome."""
    return folder / f"{job_id}.end.json"


def read_end(folder: Path, job_id: str) -> JobOutcome | None:
    """Outcome of a job, None when it ended without noting one."""
    try:
        noted = read_json(end_file(folder, job_id))
        failure = Failure(**noted.pop("failure")) if noted.get("failure") else None
        return JobOutcome(**{**noted, "failure": failure})
    except (OSError, ValueError, TypeError):
        return None


def read_log(folder: Path, job_id: str) -> str:
    """The last lines a job printed."""
    try:
        text = (folder / f"{job_id}_0_log.out").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_LINES:])
