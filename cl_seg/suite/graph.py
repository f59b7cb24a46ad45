"""From runs to stages: what trains or scores, each planned once, whichever runs need it.

A stage's key is a hash of all that determines its result, the keys of the stages it starts from
among it. Two runs that share a beginning therefore share its stages, within a suite and between
suites, and a stage is stale exactly when something it depends on has changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cl_seg.files import InputError
from cl_seg.models.declared import NETWORKS
from cl_seg.seed_ranking import NEEDS_NETWORK
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.suite import SeedTrainingSuite, Suite
from cl_seg.strategies.declared import declared_strategy
from cl_seg.suite.data import fingerprint
from cl_seg.suite.environment import capability, device_name, versions
from cl_seg.suite.plan import FINE_TUNING, Run
from cl_seg.suite.source import RANKING, SCORING, TRAINING, UNTRAINED, callable_hash, source_hash

Kind = Literal["load", "train", "consolidate", "rank", "evaluate"]
ELSEWHERE = {"device", "steps", "curve_every"}  # training settings a key holds in another place


@dataclass(frozen=True)
class Setting:
    """What all stages of a suite share.

    Attributes:
        suite: what to run.
        store: folder of its slices.
        scanners: the ones its runs use.
        digests: (scanner, part) → hash of the slices, labels and patients of that part.
        fingerprint: of the store's files, which shows a change while the suite runs.
        environment: what results depend on besides, see :func:`environment`.
        counts: scanner → part → number of slices.
    """

    suite: Suite
    store: Path
    scanners: tuple[str, ...]
    digests: Mapping[tuple[str, str], str]
    fingerprint: str
    environment: Mapping[str, str]
    counts: Mapping[str, Mapping[str, int]]


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
        setting: of the suite.
        run: a run it belongs to; every run that shares it gives the same result.
        position: in the stream, from 1; 0 for the untrained network.
        state: key of the training whose state it starts from, "" for the untrained network.
        memory: key of the stage whose strategy state it starts from, or "".
        scanner: whose test slices are scored, "" unless it evaluates.
        ranking: key of the stage that ranked the slices it trains on the first of, or "".
    """

    key: str
    kind: Kind
    setting: Setting
    run: Run
    position: int
    state: str
    memory: str
    scanner: str = ""
    ranking: str = ""

    @property
    def acts(self) -> bool:
        """True where the strategy has a part in the result."""
        declared = declared_strategy(self.run.strategy.name)
        kept = self.kind == "consolidate" or (self.kind == "evaluate" and bool(self.memory))
        return kept or declared.acts_at(self.position)

    @property
    def steps(self) -> int:
        """Optimiser steps of a training, 0 for other stages."""
        if self.kind != "train":
            return 0
        steps = self.run.stage_steps(self.setting.suite.training.steps)
        return sum(steps[self.first - 1 : self.position])

    @property
    def whole(self) -> bool:
        """True where a run is trained in one piece, because of what its strategy cannot keep."""
        return self.kind == "train" and declared_strategy(self.run.strategy.name).memory == "lost"

    @property
    def first(self) -> int:
        """Position of the first experience it trains on."""
        return 1 if self.whole else self.position

    @property
    def begins_after(self) -> int:
        """Position of the experience after which its state was kept."""
        return self.first - 1 if self.kind == "train" else self.position

    @property
    def pace(self) -> str:
        """What stages that take about as long per step, or as a whole, have in common."""
        suite, model = self.setting.suite, self.run.model
        strategy = self.run.strategy.name if self.acts else ""
        size = f"{suite.training.batch_size} × {suite.image.size}²"
        device = self.setting.environment["device"]
        return " ".join([self.kind, model.name, model.preset, strategy, size, device])

    @property
    def needs(self) -> list[str]:
        """Keys of the stages it starts from."""
        return list(dict.fromkeys(key for key in (self.state, self.memory, self.ranking) if key))

    @property
    def start(self) -> tuple[str, str, int]:
        """What the stages have in common that start from one state of a network."""
        return self.state, self.run.model.label, self.run.seed

    @property
    def title(self) -> str:
        """What a person reads of it."""
        model, run = self.run.titles["model"], self.run
        stream = " → ".join(" + ".join(e) for e in run.experiences[: self.position]) or "untrained"
        strategy = run.titles["strategy"] if self.acts else ""
        doing = f"test on {self.scanner}" if self.scanner else self.kind
        if self.kind == "rank" and run.seed_images is not None:
            doing = f"rank slices of {run.order[-1]} by {run.seed_images.by}"
        return " · ".join(x for x in (doing, model, strategy, stream, f"seed {run.seed}") if x)


@dataclass(frozen=True, slots=True)
class RunStages:
    """The stages a run's record is made of.

    Attributes:
        run: which run.
        setting: of its suite.
        key: hash of all that determines its record.
        trained: keys of its trainings, in order.
        tested: keys of its evaluations per position (from 0), in the order of its scanners.
        kept: keys of its consolidations, in order.
    """

    run: Run
    setting: Setting
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


def environment(suite: Suite) -> dict[str, str]:
    """What determines results besides spec and data, each by name, found without torch."""
    device = device_name(suite.training.device)
    builders = {
        m.label: NETWORKS[m.name].builder if m.name in NETWORKS else m.name for m in suite.models
    }
    plugins = {s.label: declared_strategy(s.name).plugin for s in suite.strategies}
    return {
        **versions(),
        "device": device,
        "processor": capability(device),
        "source of training": source_hash(*TRAINING),
        "source of scoring": source_hash(*SCORING),
        "source of rankings": source_hash(*RANKING),
        "source of untrained networks": source_hash(*UNTRAINED),
        **{f"source of network {label}": callable_hash(t) for label, t in builders.items()},
        **{f"source of strategy {label}": callable_hash(t) for label, t in plugins.items() if t},
    }


def check_unchanged(setting: Setting) -> None:
    """Refuse to go on with other data, packages or source than the suite was planned with.

    Raises:
        InputError: naming the difference.
    """
    now = environment(setting.suite)
    for name, planned in setting.environment.items():
        if now[name] != planned:
            if name == "processor":
                raise InputError(
                    f"the suite was planned for the processor {planned}, this machine has "
                    f"{now[name]}: give the command with --processor '{now[name]}'"
                )
            if name == "device":
                raise InputError(
                    f"the suite was planned for the device {planned}, this machine has "
                    f"{now[name]}: write `device: {now[name]}` under `training`"
                )
            here, there = now[name][:40], planned[:40]
            raise InputError(
                f"{name}: {here} here, {there} where the suite was planned: run it again"
            )
    if fingerprint(setting.store) != setting.fingerprint:
        raise InputError(f"{setting.store} has changed since the suite was planned: run it again")


def plan_graph(setting: Setting, runs: Iterable[Run]) -> Graph:
    """The stages of some runs of one suite."""
    planner = _Planner(setting)
    add = (
        planner.add_run_from_model
        if isinstance(setting.suite, SeedTrainingSuite)
        else planner.add_run
    )
    return Graph(planner.stages, [add(run) for run in runs])


class _Planner:
    def __init__(self, setting: Setting) -> None:
        self.setting, self.suite = setting, setting.suite
        self.stages: dict[str, Stage] = {}
        found, suite = setting.environment, setting.suite
        shared = {name: value for name, value in found.items() if not name.startswith("source of")}
        self.task = _hash(shared, suite.classes, suite.image.model_dump(), suite.training.threads)
        settings = suite.training.model_dump(exclude=ELSEWHERE)
        self.training = _hash(settings, found["source of training"])
        self.networks = {
            m.label: _hash(*_network(m), found[f"source of network {m.label}"])
            for m in suite.models
        }

    def add_run(self, run: Run) -> RunStages:
        declared = declared_strategy(run.strategy.name)
        initial = self._initial(run)
        if declared.memory == "lost":
            return self._add_whole(run, initial)
        state = memory = ""
        trained, kept_by, last = [], [], len(run.experiences)
        tested = [self._evaluate(run, 0, "", initial)]
        for position in range(1, last + 1):
            acts = declared.acts_at(position)
            before, kept = "" if run.from_scratch else state, memory if acts else ""
            ranking = self._rank(run) if run.seed_images and position == last else ""
            state = self._add(
                Stage("", "train", self.setting, run, position, before, kept, ranking=ranking),
                before or initial,
                kept,
                self._acting(run, position) if acts else "",
                *self._training(run, position),
                *((ranking, run.seed_images.count) if run.seed_images and ranking else ()),
            )
            if declared.memory == "within":
                memory = state
            elif declared.keeps_apart and (position < last or declared.scores):
                memory = self._add(
                    Stage("", "consolidate", self.setting, run, position, state, memory),
                    state,
                    memory,
                    self._keeping(run),
                    self.setting.environment["source of training"],
                )
                kept_by.append(memory)
            trained.append(state)
            scored_with = memory if declared.scores else ""
            tested.append(self._evaluate(run, position, state, state, scored_with))
        return self._run(run, trained, tested, kept_by)

    def add_run_from_model(self, run: Run) -> RunStages:
        """A run that goes on from a saved network."""
        setting, network = self.setting, self.networks[run.model.label]
        loaded = self._add(
            Stage("", "load", setting, run, 1, "", ""), run.base_model, self.task, network
        )
        state = self._add(
            Stage("", "train", setting, run, 2, loaded, ""),
            loaded,
            self._acting(run, 2),
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
            state = self._add(
                Stage("", "train", self.setting, teacher, 1, "", ""),
                self._initial(run),
                "",
                "",
                *self._training(teacher, 1),
            )
        return self._add(
            Stage("", "rank", self.setting, run, 1 if state else 0, state, ""),
            state,
            self.task,
            images.by,
            self._digest(run.order[-1], "train"),
            self.setting.environment["source of rankings"],
        )

    def _initial(self, run: Run) -> str:
        drawn_by = self.setting.environment["source of untrained networks"]
        return _hash("untrained", drawn_by, self.task, self.networks[run.model.label], run.seed)

    def _add_whole(self, run: Run, initial: str) -> RunStages:
        """A run whose trainings are one stage."""
        last = len(run.experiences)
        positions = range(1, last + 1)
        ranking = self._rank(run) if run.seed_images else ""
        state = self._add(
            Stage("", "train", self.setting, run, last, "", "", ranking=ranking),
            initial,
            self._acting(run, last),
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
        bounds = getattr(self.suite, "learned_dice", {})
        key = _hash(run.titles, trained, tested, self.suite.name, bounds)
        return RunStages(run, self.setting, key, tuple(trained), tuple(tested), tuple(kept))

    def _training(self, run: Run, position: int) -> tuple[Any, ...]:
        return (
            self.training,
            run.stage_name(position),
            run.learning_rate,
            run.stage_steps(self.suite.training.steps)[position - 1],
            [self._digest(scanner, "train") for scanner in run.experiences[position - 1]],
            self._curve(run, position),
        )

    def _evaluate(
        self, run: Run, position: int, state: str, what: str, memory: str = ""
    ) -> tuple[str, ...]:
        return tuple(
            self._add(
                Stage("", "evaluate", self.setting, run, position, state, memory, scanner),
                *((what, memory) if memory else (what,)),
                self.setting.environment["source of scoring"],
                self._digest(scanner, "test"),
            )
            for scanner in run.order
        )

    def _acting(self, run: Run, position: int) -> str:
        later = declared_strategy(run.strategy.name).from_second
        left_out = later if position == 1 else frozenset()
        return _strategy(run.strategy, left_out, self.setting.environment)

    def _keeping(self, run: Run) -> str:
        left_out = declared_strategy(run.strategy.name).training_only
        return _strategy(run.strategy, left_out, self.setting.environment)

    def _curve(self, run: Run, position: int) -> list[Any]:
        every = self.suite.training.curve_every
        seen = [scanner for experience in run.experiences[:position] for scanner in experience]
        return [every, *(self._digest(s, "validation") for s in seen)] if every else []

    def _digest(self, scanner: str, part: str) -> tuple[str, str]:
        return scanner, self.setting.digests[scanner, part]

    def _add(self, stage: Stage, *determined_by: Any) -> str:
        place = (stage.kind, stage.run.seed, stage.position)
        key = hashlib.sha256(repr((place, determined_by)).encode()).hexdigest()
        if key not in self.stages:
            kind, setting, run = stage.kind, stage.setting, stage.run
            self.stages[key] = Stage(
                *(key, kind, setting, run, stage.position, stage.state, stage.memory),
                *(stage.scanner, stage.ranking),
            )
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
