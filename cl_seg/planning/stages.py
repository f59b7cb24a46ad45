"""Stages: what trains or scores, each computed once, whichever runs need it.

A stage's key is a hash of all that determines its result, the keys of the stages it starts from
among it. Two runs that share a beginning therefore share its stages, within a suite and between
suites, and a stage is stale exactly when something it depends on has changed.
"""

from dataclasses import dataclass
from typing import Literal

from cl_seg.planning.context import StageContext
from cl_seg.planning.runs import Run
from cl_seg.strategies.registry import find_strategy

Kind = Literal["load", "train", "consolidate", "rank", "evaluate"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing to compute, with one folder of results.

    ``load`` takes over the state of a saved network, ``train`` makes the state after ``position``
    and its validation curve, ``consolidate`` what the strategy keeps of that state's experience,
    ``rank`` the order in which a state would have the slices of a new scanner labelled,
    ``evaluate`` the scores of a state on a scanner.

    Attributes:
        key: hash of all that determines the result.
        kind: what is computed.
        context: settings and data of all stages of the plan.
        run: a run it belongs to; every run that shares it gives the same result.
        position: in the stream, from 1; 0 for the untrained network.
        state: key of the training whose state it starts from, "" for the untrained network.
        memory: key of the stage whose strategy state it starts from, or "".
        scanner: whose test slices are scored, "" unless it evaluates.
        ranking: key of the stage that ranked the slices it trains on the first of, or "".
    """

    key: str
    kind: Kind
    context: StageContext
    run: Run
    position: int
    state: str
    memory: str
    scanner: str = ""
    ranking: str = ""

    @property
    def uses_strategy(self) -> bool:
        """True where the strategy has a part in the result."""
        declared = find_strategy(self.run.strategy.name)
        kept = self.kind == "consolidate" or (self.kind == "evaluate" and bool(self.memory))
        return kept or declared.is_active_at(self.position)

    @property
    def steps(self) -> int:
        """Optimiser steps of a training, 0 for other stages."""
        if self.kind != "train":
            return 0
        steps = self.run.stage_steps(self.context.training.steps)
        return sum(steps[self.first - 1 : self.position])

    @property
    def not_resumable(self) -> bool:
        """True where a run is trained in one piece, because its strategy's state is not saved."""
        state_saved = find_strategy(self.run.strategy.name).state_saved
        return self.kind == "train" and state_saved == "never"

    @property
    def first(self) -> int:
        """Position of the first experience it trains on."""
        return 1 if self.not_resumable else self.position

    @property
    def begins_after(self) -> int:
        """Position of the experience after which its state was kept."""
        return self.first - 1 if self.kind == "train" else self.position

    @property
    def timing_key(self) -> str:
        """The same for stages that take about as long per step, or in all where they have none."""
        context, model = self.context, self.run.model
        strategy = self.run.strategy.name if self.uses_strategy else ""
        size = f"{context.training.batch_size} × {context.image.size}²"
        device = context.environment["device"]
        return " ".join([self.kind, model.name, model.preset, strategy, size, device])

    @property
    def needs(self) -> list[str]:
        """Keys of the stages it starts from."""
        return list(dict.fromkeys(key for key in (self.state, self.memory, self.ranking) if key))

    @property
    def start(self) -> tuple[str, str, int]:
        """The same for stages that start from one state of a network."""
        return self.state, self.run.model.label, self.run.seed

    @property
    def title(self) -> str:
        """Kind, network, strategy, stream and seed, for people."""
        model, run = self.run.titles["model"], self.run
        stream = " → ".join(" + ".join(e) for e in run.experiences[: self.position]) or "untrained"
        strategy = run.titles["strategy"] if self.uses_strategy else ""
        doing = f"test on {self.scanner}" if self.scanner else self.kind
        if self.kind == "rank" and run.seed_images is not None:
            doing = f"rank slices of {run.order[-1]} by {run.seed_images.by}"
        return " · ".join(x for x in (doing, model, strategy, stream, f"seed {run.seed}") if x)


@dataclass(frozen=True, slots=True)
class RunStages:
    """The stages a run's record is made of.

    Attributes:
        run: which run.
        context: settings and data of all stages of the plan.
        key: hash of all that determines its record.
        trained: keys of its trainings, in order.
        tested: keys of its evaluations per position (from 0), in the order of its scanners.
        kept: keys of its consolidations, in order.
    """

    run: Run
    context: StageContext
    key: str
    trained: tuple[str, ...]
    tested: tuple[tuple[str, ...], ...]
    kept: tuple[str, ...] = ()

    @property
    def results(self) -> list[str]:
        """Keys of all stages whose results the record holds."""
        return [*self.trained, *self.kept, *(key for row in self.tested for key in row)]


@dataclass(frozen=True)
class Graph:
    """Stages by key, those a stage starts from before it, and the runs they serve."""

    stages: dict[str, Stage]
    runs: list[RunStages]

    def add(self, other: "Graph") -> "Graph":
        """The stages and runs of both."""
        return Graph({**self.stages, **other.stages}, [*self.runs, *other.runs])
