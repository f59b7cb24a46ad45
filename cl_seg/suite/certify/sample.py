"""A sample of what can be recomputed: spread over networks and strategies, the cheapest first."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cl_seg.planning.plan import Plan
from cl_seg.planning.stages import Graph, RunStages


@dataclass(frozen=True)
class Sampled:
    """A training of a run, with the scores after it.

    Attributes:
        run: the run.
        position: of the training in the run, from 1.
        needs: keys of all stages it takes, each after those it starts from.
        steps: optimiser steps of all of them.
    """

    run: RunStages
    position: int
    needs: tuple[str, ...]
    steps: int

    @property
    def tested(self) -> tuple[str, ...]:
        """Keys of the evaluations after it, which are the same where all that led there is."""
        return self.run.tested[self.position]

    @property
    def trained(self) -> str:
        """Key of the training."""
        return self.run.trained[min(self.position, len(self.run.trained)) - 1]


def sample(plan: Plan, runs: Collection[str], count: int) -> list[Sampled]:
    """Trainings of different networks and strategies, the shortest chains first.

    Args:
        plan: of the suite.
        runs: names of those that are recorded.
        count: how many, at most.
    """
    waiting: dict[tuple[str, ...], Sampled] = {}
    for run in plan.runs:
        if run.run.run_id in runs:
            for one in _candidates(run, plan.graph):
                waiting.setdefault(one.tested, one)  # runs share what is the same for both
    chosen: list[Sampled] = []
    used: Counter[str] = Counter()
    while waiting and len(chosen) < count:
        # Python's min takes the first of equals, so that the sample is always the same.
        best = min(waiting.values(), key=lambda one: (_times(one, used), one.steps))
        del waiting[best.tested]
        chosen.append(best)
        used.update(_groups(best))
    return sorted(chosen, key=lambda one: one.steps)


def _candidates(run: RunStages, graph: Graph) -> Iterator[Sampled]:
    for position in range(1, len(run.tested)):
        wanted = [run.trained[min(position, len(run.trained)) - 1], *run.tested[position]]
        needs = _with_needs(wanted, graph)
        yield Sampled(run, position, needs, sum(graph.stages[key].steps for key in needs))


def _with_needs(wanted: list[str], graph: Graph) -> tuple[str, ...]:
    found: dict[str, None] = {}

    def add(key: str) -> None:
        for before in graph.stages[key].needs:
            add(before)
        found[key] = None

    for key in wanted:
        add(key)
    return tuple(found)


def _groups(one: Sampled) -> tuple[str, ...]:
    """The pair of network and strategy, the strategy, and the network."""
    model, strategy = one.run.run.model.label, one.run.run.strategy.label
    return f"{model} {strategy}", f"strategy {strategy}", f"network {model}"


def _times(one: Sampled, used: Counter[str]) -> tuple[int, ...]:
    return tuple(used[group] for group in _groups(one))
