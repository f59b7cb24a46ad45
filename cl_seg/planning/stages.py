"""Stages: what trains or scores, each computed once, whichever runs need it.

A stage's key is a hash of all that determines its result, the keys of the stages it starts from
among it. Two runs that share a beginning therefore share its stages, within a suite and between
suites, and a stage is stale exactly when something it depends on has changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cl_seg.messages.errors import InputError
from cl_seg.models.declared import NETWORKS
from cl_seg.planning.data import fingerprint
from cl_seg.planning.environment import capability, device_name, versions
from cl_seg.planning.runs import Run
from cl_seg.planning.source import SOURCES, callable_hash, stage_source
from cl_seg.spec.suite import Suite
from cl_seg.strategies.declared import declared_strategy

Kind = Literal["load", "train", "consolidate", "rank", "evaluate"]


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
        notes: what should be known before it is run.
    """

    suite: Suite
    store: Path
    scanners: tuple[str, ...]
    digests: Mapping[tuple[str, str], str]
    fingerprint: str
    environment: Mapping[str, str]
    counts: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...] = ()


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
        return kept or declared.is_active_at(self.position)

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
        return (
            self.kind == "train" and declared_strategy(self.run.strategy.name).memory == "not_saved"
        )

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

    @property
    def notes(self) -> list[str]:
        """What should be known of its suites before they are run."""
        return list(dict.fromkeys(note for run in self.runs for note in run.setting.notes))

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
        **{f"source of {what}": stage_source(what) for what in SOURCES},
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
