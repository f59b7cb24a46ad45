"""How long stages take, from those that are finished."""

from collections import defaultdict, deque
from collections.abc import Iterable
from contextlib import suppress
from statistics import median
from typing import Any

from cl_seg.planning.stages import Stage
from cl_seg.suite.cache import DamagedStage, StageCache

ENOUGH = 5  # finished stages of one pace, from which a median is taken
MOST = 2000  # finished stages looked at
NOTABLE = 0.1  # relative change of a pace
GUESS = 0.1  # seconds per step or stage


class Durations:
    """Seconds per optimiser step, or per stage that has none, by :attr:`Stage.pace`."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=ENOUGH))
        self._typical: dict[str, float] = {}
        self._of_kind: dict[str, float] = {}

    def learn(self, about: dict[str, Any]) -> None:
        """Take in a finished stage, given what is written beside its results."""
        with suppress(KeyError, TypeError):
            pace = about["pace"]
            self._samples[pace].append(about["seconds"] / max(1, about["steps"]))
            self._note(pace, median(self._samples[pace]))

    def observe(self, stage: Stage, seconds_per_step: float) -> bool:
        """Take in how fast an unfinished stage is going; True when that changes what is expected.

        What is known of finished stages counts more.
        """
        if self._samples[stage.pace]:
            return False
        before = self._typical.get(stage.pace, 0.0)
        if before and abs(seconds_per_step / before - 1) < NOTABLE:
            return False
        self._note(stage.pace, seconds_per_step)
        return True

    def _note(self, pace: str, seconds: float) -> None:
        self._typical[pace] = seconds
        kind = _kind(pace)
        self._of_kind[kind] = median(v for k, v in self._typical.items() if _kind(k) == kind)

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
        """True where a stage of this pace has been finished, or observed."""
        return stage.pace in self._typical

    def knows(self, kind: str) -> bool:
        """True where anything is known of a kind of stage."""
        return kind in self._of_kind

    def seconds(self, stage: Stage) -> float:
        """Expected seconds of a stage; as for others of its kind where its pace is not known."""
        pace = stage.pace
        seconds = self._typical.get(pace, self._of_kind.get(_kind(pace), GUESS))
        return seconds * max(1, stage.steps)


def _kind(pace: str) -> str:
    return pace.partition(" ")[0]
