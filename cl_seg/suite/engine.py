"""Runs a plan on this machine: a capped pool of spawned workers, one run each at a time."""

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
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

POLL_SECONDS = 0.5
_steps_done: Any = None


@dataclass(frozen=True)
class Failure:
    """A run that did not finish, and why in one line."""

    run_id: str
    reason: str


def execute(
    runs: list[Run], suite: StreamSuite, store: Path, results: Path, workers: int
) -> list[Failure]:
    """Execute runs and write their records below ``results/runs``; one that fails stops no other.

    A program error leaves its traceback in ``results/failed/<run_id>.log``.

    Raises:
        KeyboardInterrupt: after the workers have been stopped; finished runs are kept.
    """
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    total = sum(sum(run.stage_steps(suite.training.steps)) for run in runs)
    failures = []
    with _one_thread_each(suite.training.threads), _progress(total) as report:
        pool = ProcessPoolExecutor(
            max(1, min(workers, len(runs))), context, initializer=_start_worker, initargs=(counter,)
        )
        try:
            waiting = {
                pool.submit(_work, run, suite, store, results / "runs" / run.run_id): run
                for run in runs
            }
            finished = 0
            while waiting:
                done, _ = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
                for future in done:
                    failure = _outcome(future, waiting.pop(future), results)
                    failures += [failure] if failure else []
                    finished += 1
                report(counter.value, f"{finished} of {len(runs)} runs")
            pool.shutdown()
        except BaseException:
            _stop(pool)
            raise
    return failures


def _work(run: Run, suite: StreamSuite, store: Path, folder: Path) -> None:
    from cl_seg.scans.store import SliceStore  # noqa: PLC0415
    from cl_seg.suite.run import execute_run  # noqa: PLC0415 - imports torch, in the worker only

    execute_run(run, suite, SliceStore(store), folder, _count_step)


def _start_worker(counter: Any) -> None:
    global _steps_done  # noqa: PLW0603 - a worker process has one counter for its life
    _steps_done = counter
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _count_step() -> None:
    with _steps_done.get_lock():
        _steps_done.value += 1


def _outcome(future: Future[None], run: Run, results: Path) -> Failure | None:
    error = future.exception()
    log = results / "failed" / f"{run.run_id}.log"
    if error is None:
        log.unlink(missing_ok=True)
        return None
    if isinstance(error, InputError):
        return Failure(run.run_id, str(error))
    if isinstance(error, BrokenProcessPool):
        return Failure(run.run_id, "the worker was killed, most likely for want of memory")
    write_text(log, "".join(traceback.format_exception(error)))
    return Failure(run.run_id, f"{type(error).__name__}, see {log}")


def _stop(pool: ProcessPoolExecutor) -> None:
    workers = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.kill()


@contextmanager
def _one_thread_each(threads: int) -> Iterator[None]:
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
def _progress(total: int) -> Iterator[Callable[[int, str], None]]:
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps · {task.description} ·"),
        TimeElapsedColumn(),
        TextColumn("elapsed ·"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns) as progress:
        bar = progress.add_task("", total=total)
        yield lambda done, text: progress.update(bar, completed=done, description=text)
