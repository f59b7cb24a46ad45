"""Computes stages in the calling process, one after another: for debuggers and measurements."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines import OnFinished
from cl_seg.suite.engines.job import compute_job, record_outcome
from cl_seg.suite.stage_queue import StageQueue

TICK_SECONDS = 0.5


@dataclass(frozen=True)
class SingleEngine:
    """No process but this one, on one device.

    Attributes:
        checkpoint_seconds: between two checkpoints of a training.
    """

    checkpoint_seconds: float = 30.0

    @property
    def workers(self) -> int:
        """One."""
        return 1

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
        """Compute all stages of a queue; an interrupt ends it at once."""
        while job := stage_queue.next_job():
            with _ticking(on_tick):
                end = compute_job(job, cache, lambda: False, self.checkpoint_seconds)
            if end.failure is not None:
                gc.collect()  # what a failed stage leaves may fill the GPU
            record_outcome(job, end, stage_queue, on_finished)
            on_tick()


@contextmanager
def _ticking(on_tick: Callable[[], None]) -> Iterator[None]:
    """Call a function every now and then while the block computes."""
    done = threading.Event()

    def ticking() -> None:
        while not done.wait(TICK_SECONDS):
            on_tick()

    thread = threading.Thread(target=ticking, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
