"""How long stages take, from those that are finished."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from statistics import median
from typing import Any

from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.graph import Stage

ENOUGH = 5  # finished stages of one pace, from which a median is taken
MOST = 2000  # finished stages looked at


class Durations:
    """Seconds per optimiser step, or per stage that has none, by :attr:`Stage.pace`."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def learn(self, about: dict[str, Any]) -> None:
        """Take in a finished stage, given what is written beside its results."""
        with suppress(KeyError, TypeError):
            self._seconds[about["pace"]].append(about["seconds"] / max(1, about["steps"]))

    def learn_from(self, cache: StageCache, stages: Iterable[Stage]) -> None:
        """Take in what a cache holds of stages of the same pace, up to a few each."""
        wanted = {stage.pace for stage in stages}
        for count, key in enumerate(sorted(cache.keys())):
            if count == MOST or not wanted:
                return
            with suppress(DamagedStage):
                about = cache.about(key)
                if about.get("pace") in wanted:
                    self.learn(about)
                    if len(self._seconds[about["pace"]]) == ENOUGH:
                        wanted.discard(about["pace"])

    def known(self, stage: Stage) -> bool:
        """True where a stage of this pace has been finished."""
        return bool(self._seconds.get(stage.pace))

    def seconds(self, stage: Stage) -> float:
        """Expected seconds of a stage; a guess where nothing of its pace is known."""
        units = max(1, stage.steps)
        if self.known(stage):
            return median(self._seconds[stage.pace]) * units
        plain = stage.pace.replace(f" {stage.run.strategy.name} ", "  ", 1)
        seconds = self._seconds.get(plain)
        return (median(seconds) if seconds else 0.1) * units
