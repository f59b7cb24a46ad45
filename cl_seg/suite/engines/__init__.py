"""Engines: where the missing stages of a suite are computed.

An engine works off the stages of a schedule until none is left, and tells of each that has ended.
The files of the cache are the truth; an engine only decides which process writes them.
"""

from collections.abc import Callable
from typing import Protocol

from cl_seg.planning.stages import Stage
from cl_seg.suite.cache import StageCache
from cl_seg.suite.schedule import Schedule

Ended = Callable[[Stage], None]


class Engine(Protocol):
    """Anything that computes the stages of a schedule."""

    @property
    def workers(self) -> int:
        """Jobs side by side, at most."""

    @property
    def here(self) -> bool:
        """Whether stages are computed on this machine."""

    def compute_stages(
        self, schedule: Schedule, cache: StageCache, ended: Ended, watch: Callable[[], None]
    ) -> None:
        """Compute all stages of a schedule that can be computed.

        Args:
            schedule: gives stages and takes back those that did not finish.
            cache: where results go.
            ended: called with every stage that is finished.
            watch: called every now and then.

        Raises:
            KeyboardInterrupt: once the work of this machine has stopped, its progress saved.
        """
