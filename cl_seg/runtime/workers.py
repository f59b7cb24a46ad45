"""Worker processes that exit with their parent and leave Ctrl-C to it."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from types import ModuleType
from typing import TypeVar

from cl_seg.messages.errors import InputError

Job = TypeVar("Job")
Result = TypeVar("Result")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def interrupts_blocked(*others: signal.Signals) -> Iterator[None]:
    """Start worker processes inside: they inherit the mask, so Ctrl-C never reaches them.

    Args:
        others: signals to be blocked besides SIGINT.
    """
    # Were it started with the first worker, it would let interrupts through to that one.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *others})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def hide_main_module() -> Iterator[None]:
    """Start worker processes inside: they do not run the user's script a second time.

    A spawned process imports the script of its parent, which would start processes of its own where
    it has no ``if __name__ == "__main__"``. Nothing that our workers do is defined there.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Start worker processes inside: they find these environment variables."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def exit_with_parent() -> None:
    """Make a worker exit at once when its parent process ends in any way."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def map_in_order(
    work: Callable[[Job], Result], jobs: Iterable[Job], workers: int
) -> Iterator[Iterator[Result]]:
    """Map jobs to results, in their order; processes and pending work end with the block.

    No more than a few results wait to be taken, however many jobs there are.

    Args:
        work: done by the processes, or by this one where there is one worker.
        jobs: what to do it with.
        workers: processes.

    Raises:
        InputError: a worker process was killed.
    """
    if workers == 1:
        yield map(work, jobs)
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, spawn, initializer=exit_with_parent)
    try:
        yield _ahead(pool, work, jobs, 2 * workers)
    except BrokenProcessPool:
        raise InputError(
            "a worker process was killed, perhaps it ran out of memory: try fewer --workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _ahead(
    pool: ProcessPoolExecutor, work: Callable[[Job], Result], jobs: Iterable[Job], ahead: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    for job in jobs:
        with interrupts_blocked(), hide_main_module():  # a process may be started now
            waiting.append(pool.submit(work, job))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
