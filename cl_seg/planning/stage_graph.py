"""Plans the graph of some runs: every stage once, under a key of all that determines its result."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cl_seg.active_learning.ranking import NEEDS_NETWORK
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.context import StageContext
from cl_seg.planning.evaluations import scanners_to_test
from cl_seg.planning.runs import Run, SeedImages, StartingModel
from cl_seg.planning.stages import Graph, Kind, PlannedRun, Stage
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.strategies.registry import find_strategy

NAIVE = StrategyChoice.model_construct(name="naive", label="naive")
KEYED_SEPARATELY = {"device", "steps", "later", "curve_every"}  # settings elsewhere in a key


def plan_graph(context: StageContext, runs: Iterable[Run]) -> Graph:
    """The stages of some runs that share a context."""
    planner = _Planner(context)
    return Graph(planner.stages, [planner.add(run) for run in runs])


class _Planner:
    def __init__(self, context: StageContext) -> None:
        self.context, found = context, context.environment
        self.stages: dict[str, Stage] = {}
        shared = {
            name: value
            for name, value in found.items()
            if name != "bfloat16" and not name.startswith("source of")
        }
        training = context.training
        self.task_hash = _hash(
            shared, context.classes, context.image.model_dump(), training.threads
        )
        self.training_hashes = {
            m.label: _hash(*self._training_settings(m), found["source of train"])
            for m in context.models
        }
        self.network_hashes = {
            m.label: _hash(*_network_key_parts(m), *_network_sources(m, found))
            for m in context.models
        }

    def _training_settings(self, model: ModelChoice) -> tuple[Any, ...]:
        chosen = self.context.training_of(model)
        kernels = (self.context.environment["bfloat16"],) if chosen.precision != "float32" else ()
        return (chosen.model_dump(exclude=KEYED_SEPARATELY), *kernels)

    def add(self, run: Run) -> PlannedRun:
        """Add the stages of a run that are not there yet."""
        if run.starting_model is not None:
            return self._add_run_from_model(run, run.starting_model)
        declared = find_strategy(run.strategy.name)
        untrained = self._untrained_hash(run)
        if declared.state_saved == "never":
            return self._add_single_stage_run(run, untrained)
        state_key = strategy_state_key = ""
        training_keys, consolidation_keys, last = [], [], len(run.experiences)
        evaluation_keys = [self._add_evaluations(run, 0, "", untrained)]
        for position in range(1, last + 1):
            active = declared.is_active_at(position)
            before = "" if run.from_scratch else state_key
            strategy_state_before = strategy_state_key if active else ""
            ranking_key = self._add_ranking(run) if run.seed_images and position == last else ""
            state_key = self._add_stage(
                self._stage("train", run, position, before, strategy_state_before),
                before or untrained,
                strategy_state_before,
                self._strategy_hash(run, position) if active else "",
                *self._training_key_parts(run, position),
                *((ranking_key, run.seed_images.count) if run.seed_images and ranking_key else ()),
                ranking_key=ranking_key,
            )
            if declared.state_saved == "during_training":
                strategy_state_key = state_key
            elif declared.has_consolidation_stage and (position < last or declared.changes_scoring):
                strategy_state_key = self._add_stage(
                    self._stage("consolidate", run, position, state_key, strategy_state_key),
                    state_key,
                    strategy_state_key,
                    self._consolidation_hash(run),
                    self.context.environment["source of consolidate"],
                )
                consolidation_keys.append(strategy_state_key)
            training_keys.append(state_key)
            evaluated_with = strategy_state_key if declared.changes_scoring else ""
            evaluation_keys.append(
                self._add_evaluations(run, position, state_key, state_key, evaluated_with)
            )
        return self._planned_run(run, training_keys, evaluation_keys, consolidation_keys)

    def _add_run_from_model(self, run: Run, model: StartingModel) -> PlannedRun:
        """A run that trains a saved network further, tested before and after if it is tested.

        As it was saved, the network depends on neither strategy nor seed.
        """
        loaded = self._add_load(run, model)
        consolidated = self._add_consolidation_of_saved(run, loaded)
        ranking_key = self._add_ranking(run) if run.seed_images else ""
        trained = self._add_stage(
            self._stage("train", run, 2, loaded, *consolidated),
            loaded,
            *consolidated,
            self._strategy_hash(run, 2),
            *self._training_key_parts(run, 2),
            *((ranking_key, run.seed_images.count) if run.seed_images else ()),
            ranking_key=ranking_key,
        )
        evaluations = []
        if self.context.split is not None:
            saved = replace(run, strategy=NAIVE, seed=0)
            before = self._add_evaluations(saved, 1, loaded, loaded)
            after = self._add_evaluations(run, 2, trained, trained)
            evaluations = [("",) * len(before), before, after]
        return self._planned_run(run, [loaded, trained], evaluations, consolidated)

    def _add_load(self, run: Run, model: StartingModel) -> str:
        """A saved network, taken over."""
        saved = replace(run, strategy=NAIVE, seed=0, starting_model=model)
        return self._add_stage(
            self._stage("load", saved, 1),
            *(model.weights_sha256, self.task_hash, self.network_hashes[run.model.label]),
            self.context.environment["source of load"],
        )

    def _add_consolidation_of_saved(self, run: Run, loaded: str) -> list[str]:
        """What a strategy keeps of the scanners that a saved network has learned, if anything."""
        if not find_strategy(run.strategy.name).has_consolidation_stage:
            return []
        key = self._add_stage(
            self._stage("consolidate", run, 1, loaded),
            loaded,
            self._consolidation_hash(run),
            *self._training_key_parts(run, 1),
            self.context.environment["source of consolidate"],
        )
        return [key]

    def _add_ranking(self, run: Run) -> str:
        """The ranking of the last scanner's slices, by a network where one is needed."""
        images = run.seed_images
        assert images is not None
        state_key = self._add_ranking_network(run, images) if images.by in NEEDS_NETWORK else ""
        return self._add_stage(
            self._stage("rank", run, 1 if state_key else 0, state_key),
            state_key,
            self.task_hash,
            images.by,
            self._digest(run.order[-1], "train"),
            self.context.environment["source of rank"],
        )

    def _add_ranking_network(self, run: Run, images: SeedImages) -> str:
        """The network that ranks slices: a saved one, or that of the base scanners."""
        if saved := run.starting_model or images.base_model:
            return self._add_load(run, saved)
        of_base = replace(images, transfer=True)
        order = (*images.base_scanners, run.order[-1])
        ranking_run = replace(run, order=order, strategy=NAIVE, seed_images=of_base)
        return self._add_stage(
            self._stage("train", ranking_run, 1),
            self._untrained_hash(run),
            "",
            "",
            *self._training_key_parts(ranking_run, 1),
        )

    def _untrained_hash(self, run: Run) -> str:
        drawn_by = self.context.environment["source of untrained"]
        return _hash(
            "untrained", drawn_by, self.task_hash, self.network_hashes[run.model.label], run.seed
        )

    def _add_single_stage_run(self, run: Run, untrained: str) -> PlannedRun:
        """A run that is trained on all experiences in one stage."""
        last = len(run.experiences)
        positions = range(1, last + 1)
        ranking_key = self._add_ranking(run) if run.seed_images else ""
        state_key = self._add_stage(
            self._stage("train", run, last),
            untrained,
            self._strategy_hash(run, last),
            [self._training_key_parts(run, position) for position in positions],
            *((ranking_key, run.seed_images.count) if run.seed_images and ranking_key else ()),
            ranking_key=ranking_key,
        )
        before = self._add_evaluations(run, 0, "", untrained)
        after = [self._add_evaluations(run, k, state_key, state_key) for k in positions]
        return self._planned_run(run, [state_key], [before, *after])

    def _planned_run(
        self,
        run: Run,
        trainings: list[str],
        evaluations: list[tuple[str, ...]],
        consolidations: Iterable[str] = (),
    ) -> PlannedRun:
        context = self.context
        # Which scanners are tested is in the record, and can be the same cells by two rules.
        rule: list[Any] = [] if context.evaluate == "all" else [context.evaluate]
        if context.margins and run.starting_model:
            rule += [context.margins.model_dump(), dict(run.starting_model.scanners)]
        if run.seed_images and (base := run.seed_images.base_model):
            rule += [base.weights_sha256, dict(base.scanners)]
        if run.months:
            rule.append(run.months)
        if run.replicate:
            rule.append({"replicate": run.replicate})
        key = _hash(run.titles, trainings, evaluations, context.name, context.learned_dice, *rule)
        return PlannedRun(
            run, context, key, tuple(trainings), tuple(evaluations), tuple(consolidations)
        )

    def _training_key_parts(self, run: Run, position: int) -> tuple[Any, ...]:
        training = self.context.training
        return (
            self.training_hashes[run.model.label],
            run.training_set_name(position),
            run.learning_rates(training)[position - 1],
            run.steps_per_experience(training)[position - 1],
            [self._digest(*part) for part in run.selection(position)],
            self._curve_key_parts(run, position),
        )

    def _add_evaluations(
        self, run: Run, position: int, state_key: str, state_hash: str, strategy_state_key: str = ""
    ) -> tuple[str, ...]:
        """Evaluations of a state on every scanner that is tested then, "" for the others.

        ``state_hash`` is the part of the state in their keys.
        """
        stage = self._stage("evaluate", run, position, state_key, strategy_state_key)
        held_out = tuple(self.context.held_out)
        tested = {*scanners_to_test(self.context.evaluate, run, position), *held_out}
        return tuple(
            self._add_stage(
                stage,
                state_hash,
                *self._scoring_key_parts(run, position, strategy_state_key, scanner),
                self.context.environment["source of evaluate"],
                self._digest(scanner, "test"),
                scanner=scanner,
            )
            if scanner in tested
            else ""
            for scanner in (*run.scanners, *held_out)
        )

    def _scoring_key_parts(
        self, run: Run, position: int, strategy_state_key: str, scanner: str
    ) -> tuple[Any, ...]:
        if not (position and find_strategy(run.strategy.name).changes_scoring):
            return ()
        strategy = self._strategy_hash(run, position)
        return (strategy, strategy_state_key, run.learned_at(scanner))

    def _strategy_hash(self, run: Run, position: int) -> str:
        later = find_strategy(run.strategy.name).settings_unused_in_first_experience
        left_out = later if position == 1 else frozenset()
        return _hash_strategy(run.strategy, left_out, self.context.environment)

    def _consolidation_hash(self, run: Run) -> str:
        left_out = find_strategy(run.strategy.name).settings_unused_by_consolidation
        return _hash_strategy(run.strategy, left_out, self.context.environment)

    def _curve_key_parts(self, run: Run, position: int) -> list[Any]:
        every = self.context.training.curve_every
        seen = [scanner for experience in run.experiences[:position] for scanner in experience]
        return [every, *(self._digest(s, "validation") for s in seen)] if every else []

    def _digest(self, scanner: str, part: str) -> tuple[str, str]:
        return scanner, self.context.digests[scanner, part]

    def _stage(
        self, kind: Kind, run: Run, position: int, state_key: str = "", strategy_state_key: str = ""
    ) -> Stage:
        return Stage(
            key="",
            kind=kind,
            context=self.context,
            run=run,
            position=position,
            state_key=state_key,
            strategy_state_key=strategy_state_key,
        )

    def _add_stage(
        self, stage: Stage, *determined_by: Any, scanner: str = "", ranking_key: str = ""
    ) -> str:
        """Add a stage unless one with the same key is there."""
        identity = (stage.kind, stage.run.seed, stage.position)
        key = hashlib.sha256(repr((identity, determined_by)).encode()).hexdigest()
        if key not in self.stages:
            self.stages[key] = stage.with_key(key, scanner, ranking_key)
        return key


def _network_key_parts(model: ModelChoice) -> tuple[Any, ...]:
    if model.name in NETWORKS:
        return (model.name, NETWORKS[model.name].presets[model.preset].arguments)
    return (model.name, model.arguments)


def _network_sources(model: ModelChoice, found: Mapping[str, str]) -> list[str]:
    """Of its code, its package and its first weights: a file counts by content, not by name."""
    others = (found.get(f"source of {what} of {model.label}") for what in ("package", "weights"))
    return [found[f"source of network {model.label}"], *filter(None, [*others, model.loader])]


def _hash_strategy(
    strategy: StrategyChoice, left_out: frozenset[str], found: Mapping[str, str]
) -> str:
    settings = {k: v for k, v in strategy.settings.items() if k not in left_out}
    return _hash(strategy.name, settings, found.get(f"source of strategy {strategy.label}", ""))


def _hash(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
