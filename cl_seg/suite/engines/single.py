"""Computes stages in the calling process, one after another: for debuggers and measurements."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines import Ended
from cl_seg.suite.engines.job import compute_job, settle
from cl_seg.suite.schedule import Schedule

WATCH_SECONDS = 0.5


@dataclass(frozen=True)
class SingleEngine:
    """No process but this one.

    Attributes:
        checkpoint_seconds: between two checkpoints of a training.
    """

    checkpoint_seconds: float = 30.0

    @property
    def workers(self) -> int:
        """One."""
        return 1

    @property
    def here(self) -> bool:
        """Stages are computed on this machine."""
        return True

    def compute_stages(
        self, schedule: Schedule, cache: StageCache, ended: Ended, watch: Callable[[], None]
    ) -> None:
        """Compute all stages of a schedule; an interrupt ends it at once."""
        while job := schedule.next_job():
            with _watched(watch):
                end = compute_job(job, cache, lambda: False, self.checkpoint_seconds)
            settle(job, end, schedule, ended)
            watch()


@contextmanager
def _watched(watch: Callable[[], None]) -> Iterator[None]:
    """Call a function every now and then while the block computes."""
    done = threading.Event()

    def watching() -> None:
        while not done.wait(WATCH_SECONDS):
            watch()

    thread = threading.Thread(target=watching, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
