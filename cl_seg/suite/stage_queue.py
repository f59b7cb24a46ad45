"""The queue of missing stages, and which of them can be computed now."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cl_seg.planning.stages import Graph, PlannedRun, Stage

MAX_DAMAGES = 3
Job = tuple[Stage, ...]
Cost = Callable[[Stage], float]


@dataclass(frozen=True)
class Failure:
    """Why a stage could not be computed.

    Attributes:
        reason: one line.
        log: what a programmer needs, or "".
    """

    reason: str
    log: str = ""


class StageQueue:
    """The missing stages of some runs: waiting, running, finished or failed.

    Args:
        graph: all stages.
        runs: those whose records are missing.
        finished: keys of the stages whose results exist.
        cost: expected seconds of a stage.
        workers: jobs side by side.
    """

    def __init__(
        self,
        graph: Graph,
        runs: Iterable[PlannedRun],
        finished: Iterable[str],
        cost: Cost,
        workers: int,
    ) -> None:
        self.graph, self.cost, self.workers = graph, cost, workers
        self._indices = {key: index for index, key in enumerate(graph.stages)}
        self.runs = list(runs)
        self.finished = set(finished)
        self.running: set[str] = set()
        self.failed: dict[str, Failure] = {}
        self.waiting: dict[str, Stage] = {}
        self.done: list[str] = []
        self.seconds_left = 0.0
        self._ready: dict[str, Stage] = {}
        self._children: dict[str, list[str]] = defaultdict(list)
        self._runs_of: dict[str, list[PlannedRun]] = defaultdict(list)
        self._keys_of = {planned.key: planned.stage_keys for planned in self.runs}
        self._damage_counts: Counter[str] = Counter()
        for key, stage in graph.stages.items():
            for need in stage.needed_keys:
                self._children[need].append(key)
        for planned in self.runs:
            for key in self._keys_of[planned.key]:
                self._runs_of[key].append(planned)
                self.require(key)
        self.update_priorities()

    def require(self, key: str) -> None:
        """Queue a stage that is not finished, and those it starts from."""
        if key in self.finished or key in self.waiting or key in self.running:
            return
        if key in self.failed:
            return
        stage = self.graph.stages[key]
        for need in stage.needed_keys:
            self.require(need)
        self._wait(stage)

    def _wait(self, stage: Stage) -> None:
        self.waiting[stage.key] = stage
        if self.finished.issuperset(stage.needed_keys):
            self._ready[stage.key] = stage

    def update_priorities(self) -> None:
        """Update the seconds left, and those of the longest chain that begins with each stage.

        Needed when the expected durations of stages have changed.
        """
        remaining: dict[str, float] = defaultdict(float)
        self.seconds_left = 0.0
        for key, stage in reversed(self.graph.stages.items()):
            if key in self.waiting:
                cost = self.cost(stage)
                self.seconds_left += cost
                remaining[key] += cost
                for need in stage.needed_keys:
                    remaining[need] = max(remaining[need], remaining[key])
        self._remaining_seconds = remaining

    def next_job(self) -> Job | None:
        """The job to start next, None when none can be started.

        Runs are computed in their order, so that records come one after the other, until the
        longest chain takes half of the time that is left for each worker: then it goes first, so
        that no worker is left alone with it. The evaluations of one state are one job.
        """
        if not self._ready:
            return None
        first = max(self._ready.values(), key=lambda stage: self._remaining_seconds[stage.key])
        if self._remaining_seconds[first.key] * self.workers * 2 < self.seconds_left:
            first = min(self._ready.values(), key=lambda stage: self._indices[stage.key])
        job: Job = (first,)
        if first.kind == "evaluate":
            ready = self._ready.values()
            job = tuple(
                s for s in ready if s.kind == "evaluate" and s.state_group == first.state_group
            )
        for stage in job:
            self.mark_started(stage)
        return job

    def mark_started(self, stage: Stage) -> None:
        """Note that a waiting stage is running."""
        if self.waiting.pop(stage.key, None) is not None:
            self._ready.pop(stage.key, None)
            self.running.add(stage.key)
            self.seconds_left -= self.cost(stage)

    def mark_finished(self, stage: Stage) -> list[PlannedRun]:
        """Note that a stage is finished; returns the runs that this completes."""
        self.mark_started(stage)
        self.running.discard(stage.key)
        self.finished.add(stage.key)
        self.done.append(stage.key)
        for key in self._children[stage.key]:
            if key in self.waiting:
                self._wait(self.waiting[key])
        runs = self._runs_of[stage.key]
        return [p for p in runs if self.finished.issuperset(self._keys_of[p.key])]

    def complete_runs(self) -> list[PlannedRun]:
        """The runs all of whose stages are finished."""
        return [planned for planned in self.runs if self.finished.issuperset(planned.stage_keys)]

    @property
    def unfinished_count(self) -> int:
        """Number of stages waiting or running."""
        return len(self.waiting) + len(self.running)

    def put_back(self, stage: Stage) -> None:
        """Let a stage that was not finished wait again, unless what it starts from has failed."""
        if stage.key in self.running:
            self.running.discard(stage.key)
            self.seconds_left += self.cost(stage)
        if stage.key not in self.failed:
            self._wait(stage)

    def mark_damaged(self, key: str) -> None:
        """Queue a finished stage again because its results are damaged; too often, and it fails.

        Counted once where several stages find the same results damaged.
        """
        if key not in self.finished:
            return
        self.finished.discard(key)
        for child in self._children[key]:
            self._ready.pop(child, None)
        self._damage_counts[key] += 1
        if self._damage_counts[key] > MAX_DAMAGES:
            self.fail(self.graph.stages[key], Failure(f"{key[:12]} is damaged again and again"))
        self.require(key)
        self.update_priorities()

    def fail(self, stage: Stage, failure: Failure) -> None:
        """Note that a stage cannot be computed, nor those that start from it."""
        self.mark_started(stage)
        self.running.discard(stage.key)
        self.failed[stage.key] = failure
        for key in self._children[stage.key]:
            if key in self.waiting:
                self.fail(self.waiting[key], failure)

    def failure_of(self, planned: PlannedRun) -> Failure | None:
        """Why a run has no record, or None."""
        return next((self.failed[key] for key in planned.stage_keys if key in self.failed), None)
