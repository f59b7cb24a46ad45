"""A sample of what can be recomputed: spread over networks and strategies, the cheapest first."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cl_seg.planning.plan import Plan
from cl_seg.planning.stages import Graph, PlannedRun


@dataclass(frozen=True)
class SampledTraining:
    """A training of a run, with the evaluations after it.

    Attributes:
        planned: the run.
        position: of the training in the run, from 1.
        needed_keys: of all stages it takes, each after those it starts from.
        steps: optimiser steps of all of them.
    """

    planned: PlannedRun
    position: int
    needed_keys: tuple[str, ...]
    steps: int

    @property
    def evaluation_keys(self) -> tuple[str, ...]:
        """Keys of the evaluations after it, which are the same where all that led there is."""
        return tuple(filter(None, self.planned.evaluation_keys[self.position]))

    @property
    def training_key(self) -> str:
        """Key of the training."""
        return self.planned.training_keys[min(self.position, len(self.planned.training_keys)) - 1]


def sample(plan: Plan, runs: Collection[str], count: int) -> list[SampledTraining]:
    """Trainings of different networks and strategies, the shortest chains first.

    Args:
        plan: of the suite.
        runs: names of those that are recorded.
        count: how many, at most.
    """
    waiting: dict[tuple[str, ...], SampledTraining] = {}
    for planned in plan.runs:
        if planned.run_id in runs:
            for training in _candidates(planned, plan.graph):
                # Runs share what is the same for both.
                waiting.setdefault(training.evaluation_keys, training)
    chosen: list[SampledTraining] = []
    used: Counter[str] = Counter()
    while waiting and len(chosen) < count:
        # Python's min takes the first of equals, so that the sample is always the same.
        best = min(waiting.values(), key=lambda t: (_times_used(t, used), t.steps))
        del waiting[best.evaluation_keys]
        chosen.append(best)
        used.update(_groups(best))
    return sorted(chosen, key=lambda training: training.steps)


def _candidates(planned: PlannedRun, graph: Graph) -> Iterator[SampledTraining]:
    for position in range(1, len(planned.evaluation_keys)):
        trainings = planned.training_keys
        training = trainings[min(position, len(trainings)) - 1]
        evaluations = filter(None, planned.evaluation_keys[position])
        keys = _with_needed([training, *evaluations], graph)
        steps = sum(graph.stages[key].steps for key in keys)
        yield SampledTraining(planned, position, keys, steps)


def _with_needed(keys: list[str], graph: Graph) -> tuple[str, ...]:
    found: dict[str, None] = {}

    def add(key: str) -> None:
        for before in graph.stages[key].needed_keys:
            add(before)
        found[key] = None

    for key in keys:
        add(key)
    return tuple(found)


def _groups(training: SampledTraining) -> tuple[str, ...]:
    """The pair of network and strategy, the strategy, and the network."""
    model, strategy = training.planned.run.model.label, training.planned.run.strategy.label
    return f"{model} {strategy}", f"strategy {strategy}", f"network {model}"


def _times_used(training: SampledTraining, used: Counter[str]) -> tuple[int, ...]:
    return tuple(used[group] for group in _groups(training))
