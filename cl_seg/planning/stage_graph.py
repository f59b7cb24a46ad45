"""Plans the graph of some runs: every stage once, under a key of all that determines its result."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cl_seg.active_learning.ranking import NEEDS_NETWORK
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.context import StageContext
from cl_seg.planning.runs import BaseModel, Run
from cl_seg.planning.stages import Graph, RunStages, Stage
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.strategies.registry import find_strategy

FINE_TUNING = StrategyChoice.model_construct(name="naive", label="naive")
ELSEWHERE = {"device", "steps", "curve_every"}  # training settings a key holds in another place


def plan_graph(context: StageContext, runs: Iterable[Run]) -> Graph:
    """The stages of some runs that share a context."""
    planner = _Planner(context)
    return Graph(planner.stages, [planner.add(run) for run in runs])


class _Planner:
    def __init__(self, context: StageContext) -> None:
        self.context, found = context, context.environment
        self.stages: dict[str, Stage] = {}
        shared = {name: value for name, value in found.items() if not name.startswith("source of")}
        training = context.training
        self.task = _hash(shared, context.classes, context.image.model_dump(), training.threads)
        settings = training.model_dump(exclude=ELSEWHERE)
        self.training = _hash(settings, found["source of training"])
        self.networks = {
            m.label: _hash(*_network(m), found[f"source of network {m.label}"])
            for m in context.models
        }

    def add(self, run: Run) -> RunStages:
        """Add the stages of a run that are not there yet."""
        if run.base_model is not None:
            return self._add_run_from_model(run, run.base_model)
        declared = find_strategy(run.strategy.name)
        initial = self._initial(run)
        if declared.state_saved == "never":
            return self._add_run_in_one_piece(run, initial)
        state = memory = ""
        trained, kept_by, last = [], [], len(run.experiences)
        tested = [self._evaluate(run, 0, "", initial)]
        for position in range(1, last + 1):
            active = declared.is_active_at(position)
            before, kept = "" if run.from_scratch else state, memory if active else ""
            ranking = self._rank(run) if run.seed_images and position == last else ""
            state = self._add_stage(
                Stage("", "train", self.context, run, position, before, kept, ranking=ranking),
                before or initial,
                kept,
                self._training_settings(run, position) if active else "",
                *self._training(run, position),
                *((ranking, run.seed_images.count) if run.seed_images and ranking else ()),
            )
            if declared.state_saved == "during_training":
                memory = state
            elif declared.has_consolidation_stage and (position < last or declared.changes_scoring):
                memory = self._add_stage(
                    Stage("", "consolidate", self.context, run, position, state, memory),
                    state,
                    memory,
                    self._memory_settings(run),
                    self.context.environment["source of consolidation"],
                )
                kept_by.append(memory)
            trained.append(state)
            scored_with = memory if declared.changes_scoring else ""
            tested.append(self._evaluate(run, position, state, state, scored_with))
        return self._run(run, trained, tested, kept_by)

    def _add_run_from_model(self, run: Run, base: BaseModel) -> RunStages:
        network = self.networks[run.model.label]
        loaded = self._add_stage(
            Stage("", "load", self.context, run, 1, "", ""),
            *(base.weights_sha256, self.task, network),
            self.context.environment["source of loaded networks"],
        )
        state = self._add_stage(
            Stage("", "train", self.context, run, 2, loaded, ""),
            loaded,
            self._training_settings(run, 2),
            *self._training(run, 2),
        )
        return self._run(run, [loaded, state], [])

    def _rank(self, run: Run) -> str:
        """The ranking of the last scanner's slices, by the network of the base scanners."""
        images = run.seed_images
        assert images is not None
        state = ""
        if images.by in NEEDS_NETWORK:
            of_base = replace(images, transfer=True)
            order = (*images.base, run.order[-1])
            teacher = replace(run, order=order, strategy=FINE_TUNING, seed_images=of_base)
            state = self._add_stage(
                Stage("", "train", self.context, teacher, 1, "", ""),
                self._initial(run),
                "",
                "",
                *self._training(teacher, 1),
            )
        return self._add_stage(
            Stage("", "rank", self.context, run, 1 if state else 0, state, ""),
            state,
            self.task,
            images.by,
            self._digest(run.order[-1], "train"),
            self.context.environment["source of rankings"],
        )

    def _initial(self, run: Run) -> str:
        drawn_by = self.context.environment["source of untrained networks"]
        return _hash("untrained", drawn_by, self.task, self.networks[run.model.label], run.seed)

    def _add_run_in_one_piece(self, run: Run, initial: str) -> RunStages:
        """A run whose trainings are one stage."""
        last = len(run.experiences)
        positions = range(1, last + 1)
        ranking = self._rank(run) if run.seed_images else ""
        state = self._add_stage(
            Stage("", "train", self.context, run, last, "", "", ranking=ranking),
            initial,
            self._training_settings(run, last),
            [self._training(run, position) for position in positions],
            *((ranking, run.seed_images.count) if run.seed_images and ranking else ()),
        )
        untrained = self._evaluate(run, 0, "", initial)
        after = [self._evaluate(run, position, state, state) for position in positions]
        return self._run(run, [state], [untrained, *after])

    def _run(
        self,
        run: Run,
        trained: list[str],
        tested: list[tuple[str, ...]],
        kept: Iterable[str] = (),
    ) -> RunStages:
        context = self.context
        key = _hash(run.titles, trained, tested, context.name, context.learned_dice)
        return RunStages(run, context, key, tuple(trained), tuple(tested), tuple(kept))

    def _training(self, run: Run, position: int) -> tuple[Any, ...]:
        return (
            self.training,
            run.stage_name(position),
            run.learning_rate,
            run.stage_steps(self.context.training.steps)[position - 1],
            [self._digest(scanner, "train") for scanner in run.experiences[position - 1]],
            self._curve(run, position),
        )

    def _evaluate(
        self, run: Run, position: int, state: str, what: str, memory: str = ""
    ) -> tuple[str, ...]:
        return tuple(
            self._add_stage(
                Stage("", "evaluate", self.context, run, position, state, memory, scanner),
                *((what, memory, run.learned_at(scanner)) if memory else (what,)),
                self.context.environment["source of scoring"],
                self._digest(scanner, "test"),
            )
            for scanner in run.order
        )

    def _training_settings(self, run: Run, position: int) -> str:
        later = find_strategy(run.strategy.name).settings_unused_in_first_experience
        left_out = later if position == 1 else frozenset()
        return _strategy(run.strategy, left_out, self.context.environment)

    def _memory_settings(self, run: Run) -> str:
        left_out = find_strategy(run.strategy.name).settings_unused_by_consolidation
        return _strategy(run.strategy, left_out, self.context.environment)

    def _curve(self, run: Run, position: int) -> list[Any]:
        every = self.context.training.curve_every
        seen = [scanner for experience in run.experiences[:position] for scanner in experience]
        return [every, *(self._digest(s, "validation") for s in seen)] if every else []

    def _digest(self, scanner: str, part: str) -> tuple[str, str]:
        return scanner, self.context.digests[scanner, part]

    def _add_stage(self, stage: Stage, *determined_by: Any) -> str:
        place = (stage.kind, stage.run.seed, stage.position)
        key = hashlib.sha256(repr((place, determined_by)).encode()).hexdigest()
        if key not in self.stages:
            self.stages[key] = replace(stage, key=key)
        return key


def _network(model: ModelChoice) -> tuple[Any, ...]:
    if model.name in NETWORKS:
        return (model.name, NETWORKS[model.name].presets[model.preset].arguments)
    return (model.name, model.arguments)


def _strategy(strategy: StrategyChoice, left_out: frozenset[str], found: Mapping[str, str]) -> str:
    settings = {k: v for k, v in strategy.settings.items() if k not in left_out}
    return _hash(strategy.name, settings, found.get(f"source of strategy {strategy.label}", ""))


def _hash(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
