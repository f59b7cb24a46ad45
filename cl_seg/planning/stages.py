"""Stages: cached units of work, each computed once, whichever runs need it.

A run trains on one experience after the other. Its trainings are stages, and so are the
evaluations after each of them: a stage is not an experience.

A stage's key is a hash of all that determines its result, the keys of the stages it starts from
among it. Two runs that share a beginning therefore share its stages, within a suite and between
suites, and a stage is stale exactly when something it depends on has changed.
"""

from dataclasses import dataclass
from itertools import chain
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
        state_key: key of the training whose network it starts from, "" for the untrained one.
        strategy_state_key: key of the stage whose strategy state it starts from, or "".
        scanner: whose test slices are scored, "" unless it evaluates.
        ranking_key: key of the stage that ranked the slices it trains on the first of, or "".
    """

    key: str
    kind: Kind
    context: StageContext
    run: Run
    position: int
    state_key: str
    strategy_state_key: str
    scanner: str = ""
    ranking_key: str = ""

    def with_key(self, key: str, scanner: str = "", ranking_key: str = "") -> "Stage":
        """The stage with its key, and what else only one of several alike has.

        Plans of many scanners have a million stages, and :func:`dataclasses.replace` takes twice
        as long.
        """
        same = (self.context, self.run, self.position, self.state_key, self.strategy_state_key)
        return Stage(key, self.kind, *same, scanner, ranking_key)

    @property
    def uses_strategy(self) -> bool:
        """True where the strategy has a part in the result."""
        declared = find_strategy(self.run.strategy.name)
        return (
            self.kind == "consolidate"
            or self.changes_scoring
            or declared.is_active_at(self.position)
        )

    @property
    def changes_scoring(self) -> bool:
        """True where it scores another network than the one it starts from."""
        trained = self.kind == "evaluate" and self.position > 0
        return trained and find_strategy(self.run.strategy.name).changes_scoring

    @property
    def steps(self) -> int:
        """Optimiser steps of a training, 0 for other stages."""
        if self.kind != "train":
            return 0
        steps = self.run.steps_per_experience(self.context.training)
        return sum(steps[self.first_position - 1 : self.position])

    @property
    def resumable(self) -> bool:
        """False where a whole run is one training, because its strategy's state is not saved."""
        state_saved = find_strategy(self.run.strategy.name).state_saved
        return self.kind != "train" or state_saved != "never"

    @property
    def first_position(self) -> int:
        """Position of the first experience it trains on."""
        return self.position if self.resumable else 1

    @property
    def state_position(self) -> int:
        """Position of the experience after which the state that it starts from was saved."""
        return self.first_position - 1 if self.kind == "train" else self.position

    @property
    def timing_key(self) -> str:
        """Identifies stages of similar duration: per step, or in all where they have none."""
        context, model = self.context, self.run.model
        strategy = self.run.strategy.name if self.uses_strategy else ""
        size = f"{context.training.batch_size} × {context.image.size}²"
        device = context.environment["device"]
        return " ".join([self.kind, model.name, model.preset, strategy, size, device])

    @property
    def needed_keys(self) -> list[str]:
        """Keys of the stages it starts from."""
        if not self.strategy_state_key and not self.ranking_key:  # most stages, so at once
            return [self.state_key] if self.state_key else []
        keys = (self.state_key, self.strategy_state_key, self.ranking_key)
        return list(dict.fromkeys(filter(None, keys)))

    @property
    def state_group(self) -> tuple[str, str, int]:
        """Identifies the stages that start from the same state of a network."""
        return self.state_key, self.run.model.label, self.run.seed

    @property
    def title(self) -> str:
        """Kind, network, strategy, stream and seed, for people."""
        model, run = self.run.titles["model"], self.run
        names = [run.experience_name(k) for k in range(1, self.position + 1)]
        names[:1] = ["saved model"] if run.starting_model else names[:1]
        stream = " → ".join(names) or "untrained"
        strategy = run.titles["strategy"] if self.uses_strategy else ""
        doing = f"test on {self.scanner}" if self.scanner else self.kind
        if self.kind == "rank" and run.seed_images is not None:
            doing = f"rank slices of {run.order[-1]} by {run.seed_images.by}"
        return " · ".join(x for x in (doing, model, strategy, stream, f"seed {run.seed}") if x)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run with the keys of the stages that its record is made of.

    Attributes:
        run: which run.
        context: settings and data of all stages of the plan.
        key: hash of all that determines its record.
        training_keys: of its trainings, in order.
        evaluation_keys: of its evaluations per position (from 0), in the order of its
            ``tested_scanners``; "" for a scanner that is not tested then.
        consolidation_keys: of its consolidations, in order.
    """

    run: Run
    context: StageContext
    key: str
    training_keys: tuple[str, ...]
    evaluation_keys: tuple[tuple[str, ...], ...]
    consolidation_keys: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """Folder name of the run, unique in its suite."""
        return self.run.run_id

    @property
    def order(self) -> tuple[str, ...]:
        """Scanners in stream order, an entry per visit."""
        return self.run.order

    @property
    def tested_scanners(self) -> tuple[str, ...]:
        """Scanners in the order of their first visits, then those that are held out."""
        return (*self.run.scanners, *self.context.held_out)

    @property
    def stage_keys(self) -> list[str]:
        """Keys of all stages whose results the record holds."""
        evaluations = chain.from_iterable(self.evaluation_keys)
        return [*self.training_keys, *self.consolidation_keys, *filter(None, evaluations)]


@dataclass(frozen=True)
class Graph:
    """Stages by key, in dependency order, and the runs they serve."""

    stages: dict[str, Stage]
    runs: list[PlannedRun]

    def add(self, other: "Graph") -> "Graph":
        """The stages and runs of both."""
        return Graph({**self.stages, **other.stages}, [*self.runs, *other.runs])
