"""Expected durations of stages, from those of finished ones."""

from collections import defaultdict, deque
from collections.abc import Iterable
from contextlib import suppress
from statistics import median
from typing import Any

from cl_seg.planning.stages import Stage
from cl_seg.suite.cache import DamagedStage, StageCache

SAMPLES_PER_KEY = 5  # finished stages of one timing key, from which a median is taken
MAX_STAGES_READ = 2000  # finished stages looked at
CHANGE_THRESHOLD = 0.1  # relative change of seconds per step
DEFAULT_SECONDS = 0.1  # seconds per step or stage


class Durations:
    """Seconds per optimiser step, or per stage that has none, by :attr:`Stage.timing_key`."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=SAMPLES_PER_KEY))
        self._typical: dict[str, float] = {}
        self._of_kind: dict[str, float] = {}

    def add(self, metadata: dict[str, Any]) -> None:
        """Take in a finished stage, given what is written beside its results."""
        with suppress(KeyError, TypeError):
            key = _timing_key(metadata)
            self._samples[key].append(metadata["seconds"] / max(1, metadata["steps"]))
            self._note(key, median(self._samples[key]))

    def observe(self, stage: Stage, seconds_per_step: float) -> bool:
        """Take in how fast an unfinished stage is going; True when that changes what is expected.

        What is known of finished stages counts more.
        """
        if self._samples[stage.timing_key]:
            return False
        before = self._typical.get(stage.timing_key, 0.0)
        if before and abs(seconds_per_step / before - 1) < CHANGE_THRESHOLD:
            return False
        self._note(stage.timing_key, seconds_per_step)
        return True

    def _note(self, key: str, seconds: float) -> None:
        self._typical[key] = seconds
        kind = _kind(key)
        self._of_kind[kind] = median(v for k, v in self._typical.items() if _kind(k) == kind)

    def learn_from(self, cache: StageCache, stages: Iterable[Stage]) -> None:
        """Take in what a cache holds of stages of the same timing keys, up to a few each."""
        wanted = {stage.timing_key for stage in stages}
        for count, key in enumerate(sorted(cache.keys())):
            if count == MAX_STAGES_READ or not wanted:
                return
            with suppress(DamagedStage, KeyError):
                metadata = cache.metadata(key)
                if (timing := _timing_key(metadata)) in wanted:
                    self.add(metadata)
                    if len(self._samples[timing]) == SAMPLES_PER_KEY:
                        wanted.discard(timing)

    def has(self, stage: Stage) -> bool:
        """True where a stage of this timing key has been finished, or observed."""
        return stage.timing_key in self._typical

    def has_kind(self, kind: str) -> bool:
        """True where anything is known of a kind of stage."""
        return kind in self._of_kind

    def seconds(self, stage: Stage) -> float:
        """Expected seconds of a stage; as for others of its kind where its own are unknown."""
        key = stage.timing_key
        seconds = self._typical.get(key, self._of_kind.get(_kind(key), DEFAULT_SECONDS))
        return seconds * max(1, stage.steps)


def _timing_key(metadata: dict[str, Any]) -> str:
    return str(metadata.get("timing_key") or metadata["pace"])  # as older stages call it


def _kind(timing_key: str) -> str:
    return timing_key.partition(" ")[0]
