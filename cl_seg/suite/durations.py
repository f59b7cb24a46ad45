"""How long stages take, from those that are finished."""

from collections import defaultdict, deque
from collections.abc import Iterable
from contextlib import suppress
from statistics import median
from typing import Any

from cl_seg.suite.cache import DamagedStage, StageCache
from cl_seg.suite.graph import Stage

ENOUGH = 5  # finished stages of one pace, from which a median is taken
MOST = 2000  # finished stages looked at
GUESS = 0.1  # seconds per step or stage


class Durations:
    """Seconds per optimiser step, or per stage that has none, by :attr:`Stage.pace`."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=ENOUGH))
        self._typical: dict[str, float] = {}

    def learn(self, about: dict[str, Any]) -> None:
        """Take in a finished stage, given what is written beside its results."""
        with suppress(KeyError, TypeError):
            pace = about["pace"]
            self._samples[pace].append(about["seconds"] / max(1, about["steps"]))
            self._typical[pace] = median(self._samples[pace])

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
                    if len(self._samples[about["pace"]]) == ENOUGH:
                        wanted.discard(about["pace"])

    def known(self, stage: Stage) -> bool:
        """True where a stage of this pace has been finished."""
        return stage.pace in self._typical

    def seconds(self, stage: Stage) -> float:
        """Expected seconds of a stage; a guess where nothing of its pace is known."""
        return self._typical.get(stage.pace, GUESS) * max(1, stage.steps)
