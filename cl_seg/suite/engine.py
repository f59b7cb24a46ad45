"""Runs a plan on this machine: a capped pool of spawned workers, one run each at a time."""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from cl_seg.files import InputError, write_text
from cl_seg.spec import StreamSuite
from cl_seg.suite.plan import Run
from cl_seg.workers import interrupts_blocked, leave_with_parent

POLL_SECONDS = 0.5
_steps_done: Any = None


@dataclass(frozen=True)
class Failure:
    """A run that did not finish, and why in one line."""

    run_id: str
    reason: str


@dataclass(frozen=True)
class _Job:
    run: Run
    suite: StreamSuite
    store: Path
    results: Path


def execute(
    runs: list[Run], suite: StreamSuite, store: Path, results: Path, workers: int
) -> list[Failure]:
    """Execute runs and write their records below ``results/runs``; one that fails stops no other.

    Runs that were under way or waiting when a worker process died are tried once more, each alone,
    so that only the one to blame fails. A program error leaves its traceback in
    ``results/failed/<run_id>.log``.

    Raises:
        KeyboardInterrupt: after the workers have been stopped; finished runs are kept.
    """
    counter = multiprocessing.get_context("spawn").Value("q", 0)
    total = sum(sum(run.stage_steps(suite.training.steps)) for run in runs)
    failures = []
    with _threads(suite.training.threads), _progress(total, len(runs), counter) as report:
        jobs = [_Job(run, suite, store, results) for run in runs]
        outcomes = dict(_execute(jobs, workers, counter, report))
        for job in [job for job in jobs if isinstance(outcomes[job.run.run_id], BrokenProcessPool)]:
            outcomes.update(_execute([job], 1, counter, report))
    for job in jobs:
        failure = _failure(outcomes[job.run.run_id], job.run, results)
        failures += [failure] if failure else []
    return failures


def _execute(
    jobs: list[_Job], workers: int, counter: Any, report: Callable[[], None]
) -> Iterator[tuple[str, BaseException | None]]:
    """Run id and exception of every job, as they end."""
    pool = ProcessPoolExecutor(
        max(1, min(workers, len(jobs))),
        multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(counter,),
    )
    try:
        with interrupts_blocked():
            waiting = {pool.submit(_work, job): job for job in jobs}
        while waiting:
            done, _ = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future).run.run_id, future.exception()
            report()
        pool.shutdown()
    except BaseException:
        _stop(pool)
        raise


def _work(job: _Job) -> None:
    from cl_seg.scans.store import SliceStore  # noqa: PLC0415
    from cl_seg.suite.run import execute_run  # noqa: PLC0415 - imports torch, in the worker only

    folder = job.results / "runs" / job.run.run_id
    execute_run(job.run, job.suite, SliceStore(job.store), folder, _count_step)


def _start_worker(counter: Any) -> None:
    global _steps_done  # noqa: PLW0603 - a worker process has one counter for its life
    _steps_done = counter
    leave_with_parent()


def _count_step() -> None:
    with _steps_done.get_lock():
        _steps_done.value += 1


def _failure(error: BaseException | None, run: Run, results: Path) -> Failure | None:
    log = results / "failed" / f"{run.run_id}.log"
    if error is None:
        log.unlink(missing_ok=True)
        return None
    if isinstance(error, InputError):
        return Failure(run.run_id, str(error))
    if isinstance(error, BrokenProcessPool):
        return Failure(run.run_id, "its process was killed, perhaps for want of memory")
    write_text(log, "".join(traceback.format_exception(error)))
    reason = str(error).strip().splitlines()
    return Failure(run.run_id, f"{type(error).__name__}: {reason[0] if reason else ''} (see {log})")


def _stop(pool: ProcessPoolExecutor) -> None:
    workers = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.kill()


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    # Read by OpenMP when a worker starts: idle threads of one worker slow its neighbours down.
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _progress(steps: int, runs: int, counter: Any) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"steps of {runs} runs ·"),
        TimeElapsedColumn(),
        TextColumn("elapsed ·"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns) as progress:
        bar = progress.add_task("", total=steps)
        yield lambda: progress.update(bar, completed=counter.value)
