"""Engines: where the missing stages of a suite are computed.

An engine computes the stages of a queue until none is left, and reports each that is finished.
The cache decides what is finished; an engine only decides which process writes it.
"""

from collections.abc import Callable
from typing import Protocol

from cl_seg.planning.stages import Stage
from cl_seg.suite.cache import StageCache
from cl_seg.suite.stage_queue import StageQueue

OnFinished = Callable[[Stage], None]


class Engine(Protocol):
    """Anything that computes the stages of a queue."""

    @property
    def workers(self) -> int:
        """Jobs side by side, at most."""

    @property
    def runs_locally(self) -> bool:
        """Whether stages are computed on this machine."""

    def compute_stages(
        self,
        stage_queue: StageQueue,
        cache: StageCache,
        on_finished: OnFinished,
        on_tick: Callable[[], None],
    ) -> None:
        """Compute all stages of a queue that can be computed.

        Args:
            stage_queue: gives stages and takes back those that did not finish.
            cache: where results go.
            on_finished: called with every stage that is finished.
            on_tick: called every now and then.

        Raises:
            KeyboardInterrupt: once the work of this machine has stopped, its progress saved.
        """
