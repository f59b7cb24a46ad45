"""Runs stages on this machine: a capped pool of spawned workers, one job each at a time."""

import multiprocessing
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from cl_seg.runtime.workers import (
    environment,
    exit_with_parent,
    hide_main_module,
    interrupts_blocked,
)
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines import OnFinished
from cl_seg.suite.engines.job import JobOutcome, compute_job, record_outcome
from cl_seg.suite.stage_queue import Failure, Job, StageQueue

POLL_SECONDS = 0.5
GRACE_SECONDS = 60.0
TRIES = 2
KILLED = Failure("its process was killed, perhaps it ran out of memory")


class _Worker:
    """A process of its own on a device, that does one job at a time."""

    def __init__(self, engine: "LocalEngine", device: str, cache: StageCache) -> None:
        self.device = device
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_compute_jobs, args=(theirs, cache, engine.checkpoint_seconds), daemon=True
        )
        with (
            interrupts_blocked(),
            hide_main_module(),
            # Read by OpenMP and CUDA when the worker starts: idle threads of one worker slow its
            # neighbours down, and a worker sees no GPU but its own.
            environment(
                OMP_NUM_THREADS=str(engine.threads),
                MKL_NUM_THREADS=str(engine.threads),
                CUDA_VISIBLE_DEVICES=device,
            ),
        ):
            self.process.start()
        theirs.close()
        self.job: Job | None = None

    def start(self, job: Job) -> None:
        self.job = job
        with suppress(OSError):  # a process that is gone is noticed when its answer is read
            self.connection.send(job)

    def outcome(self) -> tuple[Job, JobOutcome | None]:
        """The job and what became of it, None when the process is gone."""
        job, self.job = self.job, None
        assert job is not None
        try:
            return job, self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return job, None


@dataclass(frozen=True)
class LocalEngine:
    """Worker processes on this machine.

    Attributes:
        devices: one for each process, the ``CUDA_VISIBLE_DEVICES`` that it is started with: a GPU,
            or "" for the CPU. Processes that share a GPU are given the same.
        threads: CPU threads of each.
        checkpoint_seconds: between two checkpoints of a training.
    """

    devices: Sequence[str]
    threads: int
    checkpoint_seconds: float

    @property
    def workers(self) -> int:
        """Processes side by side."""
        return len(self.devices)

    @property
    def runs_locally(self) -> bool:
        """Stages are computed on this machine."""
        return True

    def compute_stages(
        self,
        stage_queue: StageQueue,
        cache: StageCache,
        on_finished: OnFinished,
        on_tick: Callable[[], None],
    ) -> None:
        """Compute all stages of a queue; a worker that is killed costs its job one more try.

        Raises:
            KeyboardInterrupt: once the workers have saved their progress and stopped.
        """
        pool: list[_Worker] = []
        tries: Counter[str] = Counter()
        try:
            while True:
                self._assign(pool, stage_queue, cache)
                busy = {w.connection: w for w in pool if w.job}
                if not busy:
                    return
                for connection in wait(list(busy), POLL_SECONDS):
                    assert isinstance(connection, Connection)
                    worker = busy[connection]
                    job, end = worker.outcome()
                    if end is None:
                        pool.remove(worker)
                        tries[job[0].key] += 1
                        gave_up = tries[job[0].key] == TRIES
                        end = JobOutcome(0, failure=KILLED if gave_up else None)
                    elif end.failure is not None and end.failure.log:
                        pool.remove(worker)  # whatever broke may have broken the process
                        worker.process.kill()
                    record_outcome(job, end, stage_queue, on_finished)
                on_tick()
        except BaseException:
            _stop(pool)
            raise
        finally:
            for worker in pool:
                worker.process.kill()

    def _assign(self, pool: list[_Worker], stage_queue: StageQueue, cache: StageCache) -> None:
        while sum(worker.job is not None for worker in pool) < self.workers:
            job = stage_queue.next_job()
            if job is None:
                return
            for worker in [w for w in pool if w.job is None and not w.process.is_alive()]:
                pool.remove(worker)
            self._next_worker(pool, cache).start(job)

    def _next_worker(self, pool: list[_Worker], cache: StageCache) -> _Worker:
        """An idle worker, or a new one, on the device with the fewest jobs."""
        jobs = Counter(worker.device for worker in pool if worker.job)
        idle = {worker.device: worker for worker in pool if worker.job is None}
        free = Counter(self.devices) - Counter(worker.device for worker in pool)
        device = min([*idle, *free], key=lambda device: jobs[device])
        if device in idle:
            return idle[device]
        worker = _Worker(self, device, cache)
        pool.append(worker)
        return worker


def _compute_jobs(connection: Connection, cache: StageCache, checkpoint_seconds: float) -> None:
    stopping = False

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    exit_with_parent()
    with suppress(EOFError, OSError):
        while not stopping:
            job = connection.recv()
            connection.send(compute_job(job, cache, lambda: stopping, checkpoint_seconds))


def _stop(pool: list[_Worker]) -> None:
    """Ask busy workers to save their progress; those that take too long lose some."""
    for worker in pool:
        if worker.job:
            worker.process.terminate()
    until = time.monotonic() + GRACE_SECONDS
    for worker in pool:
        if worker.job:
            worker.connection.poll(max(0.0, until - time.monotonic()))
