"""Computes stages on a Slurm cluster: chains of stages as jobs, branches as arrays that wait.

The cache decides what is finished; Slurm is only asked which jobs it still has. The jobs continue
when this process ends: the same command finds them by their name and waits for them again.
"""

import shutil
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from cl_seg.files.json_file import read_json
from cl_seg.files.write import write_json
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.planning.stages import Stage
from cl_seg.runtime.workers import interrupts_blocked
from cl_seg.suite.cache import StageCache
from cl_seg.suite.chains import chains
from cl_seg.suite.engines import OnFinished
from cl_seg.suite.engines.job import JobOutcome
from cl_seg.suite.engines.slurm_job import StageJob, read_end, read_log
from cl_seg.suite.engines.slurm_queue import (
    Resources,
    cancel,
    check_slurm,
    queue,
    queued,
    sbatch_script,
)
from cl_seg.suite.stage_queue import Failure, Job, StageQueue

JOBS = "jobs.json"
TRIES = 2
MAX_STOPS = 20  # of a job that saved its progress each time
MAX_REFUSALS = 60
OLD_SECONDS = 24 * 3600.0


@dataclass
class _Queued:
    """A job that Slurm has, or had when it was last asked.

    Attributes:
        job_id: Slurm's.
        folder: of the call that submitted it.
        after: ids of the jobs it waits for.
        keys: of all its stages, in order.
        stages: those of them that this call wants.
        missed_since: when Slurm had it no longer.
    """

    job_id: str
    folder: Path
    after: Sequence[str]
    keys: Sequence[str]
    stages: Job
    missed_since: float | None = None


@dataclass(frozen=True)
class SlurmEngine:
    """Jobs on a Slurm cluster whose nodes share the cache's folder with this machine.

    Attributes:
        resources: of every job.
        workers: most jobs in the queue at once.
        checkpoint_seconds: between two checkpoints of a training.
        log: prints one line for the user.
        poll_seconds: between two looks at the queue.
        patience_seconds: after which a job that Slurm no longer has, and whose results have not
            shown up, counts as lost; shared file systems may show new files late.
    """

    resources: Resources
    workers: int
    checkpoint_seconds: float
    log: Callable[[str], None]
    poll_seconds: float = 5.0
    patience_seconds: float = 60.0

    @property
    def runs_locally(self) -> bool:
        """Stages are computed on the nodes of a cluster."""
        return False

    def script(self, cache: StageCache) -> str:
        """The script that sbatch is given for every job; jobs side by side are an array of it.

        Raises:
            InputError: there is no Slurm.
        """
        check_slurm()
        return sbatch_script(_submissions(cache) / "cl_seg-NAME", self.resources)

    def compute_stages(
        self,
        stage_queue: StageQueue,
        cache: StageCache,
        on_finished: OnFinished,
        on_tick: Callable[[], None],
    ) -> None:
        """Compute all stages of a queue; a job that vanishes costs its stage one more try.

        Raises:
            InputError: there is no Slurm, or it refuses the first jobs.
            KeyboardInterrupt: at once; the jobs go on.
        """
        check_slurm()
        submission = _Submission(self, stage_queue, cache, on_finished)
        try:
            submission.find_earlier()
            while stage_queue.unfinished_count:
                submission.submit()
                if not (submission.jobs or submission.refusals):
                    raise RuntimeError(
                        f"no job computes {stage_queue.unfinished_count} stages that are left"
                    )
                time.sleep(self.poll_seconds)
                submission.poll()
                on_tick()
        except KeyboardInterrupt:
            if submission.jobs:
                left = counted(len(submission.jobs), "job goes", "jobs go")
                self.log(
                    f"{left} on in the queue: the same command waits for them again, "
                    f"scancel --name={','.join(submission.names)} ends them"
                )
            raise


@dataclass
class _Submission:
    """One call of the engine: the jobs it waits for."""

    engine: SlurmEngine
    stage_queue: StageQueue
    cache: StageCache
    on_finished: OnFinished
    jobs: dict[str, _Queued] = field(default_factory=dict)
    tries: Counter[tuple[str, bool]] = field(default_factory=Counter)
    refusals: int = 0

    def __post_init__(self) -> None:
        self.folder = _submissions(self.cache) / f"cl_seg-{token_hex(4)}"
        self.submitted: dict[str, dict[str, list[str]]] = {}

    @property
    def names(self) -> list[str]:
        """Names of the jobs, which are those of their folders."""
        return sorted({job.folder.name for job in self.jobs.values()})

    def find_earlier(self) -> None:
        """Take over jobs of earlier calls that Slurm still has; forget old ones it has not."""
        listed = dict(_earlier(self.cache))
        active = queued(folder.name for folder in listed) if listed else {}
        if active is None:
            raise InputError("squeue does not answer: Slurm is not there, try again later")
        stages = self.stage_queue.graph.stages
        for folder, jobs in listed.items():
            for job_id, noted in jobs.items():
                known = tuple(stages[key] for key in noted["stages"] if key in stages)
                job = _Queued(job_id, folder, noted["after"], noted["stages"], known)
                self._report_finished(job)  # what ended after the cache was looked through
                if job_id in active and any(s.key in self.stage_queue.waiting for s in known):
                    self.jobs[job_id] = job
            with suppress(FileNotFoundError):  # another command is removing it
                if not jobs.keys() & active.keys() and _age(folder) > OLD_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
        if self.jobs:
            left = "job of an earlier call is", "jobs of an earlier call are"
            self.engine.log(f"{counted(len(self.jobs), *left)} still in the queue")

    def submit(self) -> None:
        """Queue what starts from finished stages or from queued jobs, as far as there is room.

        Raises:
            InputError: Slurm refuses the first jobs, or refuses again and again while it has none.
        """
        while arrays := self._arrays():
            for after, jobs in arrays.items():
                try:
                    self._queue(jobs, after)
                except InputError as error:
                    self.refusals += 1
                    hopeless = not self.submitted or self.refusals > MAX_REFUSALS
                    if not self.jobs and hopeless:
                        raise
                    if self.refusals == 1:
                        self.engine.log(f"{error}; trying again later")
                    return
                self.refusals = 0

    def _arrays(self) -> dict[tuple[str, ...], list[Job]]:
        """The next jobs by the ids of those they wait for."""
        stage_queue, room = self.stage_queue, self.engine.workers - len(self.jobs)
        job_ids = {s.key: job.job_id for job in self.jobs.values() for s in job.stages}
        waiting = stage_queue.waiting.keys() - job_ids.keys() if room > 0 else set()
        if not waiting:
            return {}
        arrays: dict[tuple[str, ...], list[Job]] = defaultdict(list)
        for job in chains(s for key, s in stage_queue.graph.stages.items() if key in waiting):
            own = {stage.key for stage in job}
            needs = {n for stage in job for n in stage.needed_keys} - own - stage_queue.finished
            if room > 0 and needs <= job_ids.keys():
                arrays[tuple(sorted({job_ids[need] for need in needs}))].append(job)
                room -= 1
        return arrays

    def _queue(self, jobs: list[Job], after: tuple[str, ...]) -> None:
        engine = self.engine
        work = [
            StageJob(job, self.cache, self.folder, tuple(sys.path), engine.checkpoint_seconds)
            for job in jobs
        ]
        with interrupts_blocked(signal.SIGTERM):  # a job that is queued is noted
            ids = queue(self.folder, work, after, engine.resources, engine.workers)
            for job_id, job in zip(ids, jobs, strict=True):
                keys = [stage.key for stage in job]
                self.submitted[job_id] = {"after": list(after), "stages": keys}
                self.jobs[job_id] = _Queued(job_id, self.folder, after, keys, job)
            write_json(self.folder / JOBS, self.submitted)

    def poll(self) -> None:
        """Report finished stages, and handle the jobs that Slurm no longer has."""
        active = queued(self.names)
        for job in list(self.jobs.values()):
            self._report_finished(job)
            if active is None or job.job_id not in self.jobs:
                continue
            if job.job_id in active:
                self._update_running(job, active[job.job_id] == "RUNNING")
            else:
                self._handle_ended(job)

    def _report_finished(self, job: _Queued) -> None:
        for stage in job.stages:
            if stage.key not in self.stage_queue.finished and self.cache.has(stage.key):
                self.on_finished(stage)

    def _update_running(self, job: _Queued, running: bool) -> None:
        job.missed_since = None
        missing = (s for s in job.stages if s.key not in self.stage_queue.finished)
        stage = next(missing, None)
        if stage is not None and running and self.cache.working_folder(stage.key).is_dir():
            self.stage_queue.mark_started(stage)
        elif stage is not None and not running and stage.key in self.stage_queue.running:
            self.stage_queue.put_back(stage)

    def _handle_ended(self, job: _Queued) -> None:
        """Forget a job that has ended; what it has not finished waits again or has failed."""
        stage_queue = self.stage_queue
        missing = [s for s in job.stages if s.key not in stage_queue.finished]
        end = read_end(job.folder, job.job_id)
        if missing and not (end and (end.failure or end.damaged_key)):
            ended_normally = end is not None and end.finished < len(job.keys)
            if not ended_normally and not self._out_of_patience(job):
                return
            self.tries[missing[0].key, ended_normally] += 1
            if self.tries[missing[0].key, ended_normally] == (
                MAX_STOPS if ended_normally else TRIES
            ):
                log = read_log(job.folder, job.job_id)
                how = (
                    "was stopped again and again"
                    if ended_normally
                    else "ended without writing its result"
                )
                reason = f"Slurm's job {job.job_id} {how}: see its log"
                end = JobOutcome(job.keys.index(missing[0].key), Failure(reason, log))
        del self.jobs[job.job_id]
        if missing:
            self._take_back(missing, job.job_id)
        for stage in missing:
            if end and end.failure and stage.key == job.keys[end.finished]:
                stage_queue.fail(stage, end.failure)
        if end and end.damaged_key in stage_queue.graph.stages:
            stage_queue.mark_damaged(end.damaged_key)

    def _out_of_patience(self, job: _Queued) -> bool:
        now = time.monotonic()
        job.missed_since = job.missed_since or now
        return now - job.missed_since >= self.engine.patience_seconds

    def _take_back(self, missing: list[Stage], job_id: str) -> None:
        """Let the unfinished stages of a job wait again, and those of jobs that wait for it.

        Slurm starts none of those, because their job did not end well.
        """
        lost, ended, cancelled = {stage.key for stage in missing}, {job_id}, []
        for stage in missing:
            self.stage_queue.put_back(stage)
        for other in list(self.jobs.values()):
            needs = {need for stage in other.stages for need in stage.needed_keys}
            if ended.isdisjoint(other.after) and lost.isdisjoint(needs):
                continue
            cancelled.append(other.job_id)
            del self.jobs[other.job_id]
            ended.add(other.job_id)
            for stage in other.stages:
                if stage.key not in self.stage_queue.finished:
                    lost.add(stage.key)
                    self.stage_queue.put_back(stage)
        cancel(cancelled)


def _submissions(cache: StageCache) -> Path:
    return cache.folder / "slurm"


def _earlier(cache: StageCache) -> Iterator[tuple[Path, dict[str, dict[str, list[str]]]]]:
    for file in sorted(_submissions(cache).glob(f"*/{JOBS}")):
        try:
            yield file.parent, dict(read_json(file))
        except (OSError, ValueError):
            continue


def _age(folder: Path) -> float:
    return time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
