"""Trains a saved network on the labelled slices of a new scanner, as a plan like any other."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd
from pydantic import ValidationError

import cl_seg
from cl_seg.files.write import check_new
from cl_seg.inference.saved_model import read_model_folder, save_model
from cl_seg.labelling.choose import check_scanner
from cl_seg.labelling.embed import check_fits
from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import explain_errors
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.context import StageContext
from cl_seg.planning.digests import fingerprint, part_digests
from cl_seg.planning.environment import find_environment, git_commit, versions
from cl_seg.planning.plan import Plan
from cl_seg.planning.runs import Run, StartingModel
from cl_seg.planning.split import cases_by_part, rows_by_part
from cl_seg.planning.stage_graph import plan_graph
from cl_seg.planning.stages import PlannedRun, Stage
from cl_seg.records.model_card import About, ModelCard
from cl_seg.runtime.serialise import from_bytes
from cl_seg.scans.splits import partly_usable_slices, usable_slices
from cl_seg.scans.store import SliceStore
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.part import Spec
from cl_seg.spec.settings import Image, Training
from cl_seg.strategies.registry import STRATEGIES
from cl_seg.suite.cache import StageCache, state_file
from cl_seg.suite.compute_runs import compute_runs
from cl_seg.suite.durations import Durations
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.progress import read_progress
from cl_seg.suite.stage_queue import StageQueue

Tune = Literal["all", "decoder", "head"]
OnProgress = Callable[[int, int], None]
SpecT = TypeVar("SpecT", bound=Spec)


@dataclass(frozen=True)
class SeedTraining:
    """How a saved network goes on.

    Attributes:
        base: model folder, or the name of a shipped model.
        trusted_network: trusted ``module:callable`` of it, where it is no network of the registry.
        tune: which of its weights are trained.
        steps: optimiser steps.
        batch_size: slices per step.
        learning_rate: peak; None takes the one it was trained with.
        seed: of everything random.
        device: ``auto`` takes a GPU where there is one.
    """

    base: Path
    trusted_network: str = ""
    tune: Tune = "all"
    steps: int = 300
    batch_size: int = 4
    learning_rate: float | None = None
    seed: int = 0
    device: str = "auto"


def train_on_seed_images(
    store: SliceStore,
    scanner: str,
    wanted: SeedTraining,
    out: Path,
    cache: StageCache,
    on_progress: OnProgress,
) -> ModelCard:
    """Train, and save the network as a model folder.

    A training that was interrupted goes on from its last checkpoint, one that is finished is not
    repeated.

    Args:
        store: with slices of the scanner that are labelled for all or some of the classes.
        scanner: folder name.
        wanted: how.
        out: model folder to make.
        cache: where the training is kept.
        on_progress: called with the steps done and all.

    Raises:
        InputError: the model does not fit the store, nothing is labelled, or ``out`` exists.
    """
    check_new(out)
    check_scanner(store, scanner)
    _, card = read_model_folder(wanted.base, wanted.trusted_network)
    check_fits(store, card, wanted.base)
    slices = _labelled_slices(store, scanner, card.classes)
    plan = plan_seed_training(store, slices, wanted, card, cache.folder)
    weights = _trained_weights(plan, cache, on_progress)
    context = plan.context
    trained = {
        "base": card.weights_sha256,
        "scanner": scanner,
        "slices": len(slices),
        "labelled": {c: len(usable_slices(slices, [c])) for c in card.classes},
        "patients": int(slices["patient"].nunique()),
        "tune": wanted.tune,
        "seed": wanted.seed,
        "learning_rate": context.models[0].learning_rate,
        "training": context.training.model_dump(mode="json"),
        "before": card.trained,
    }
    new = card.model_copy(
        update={
            "scanners": {**card.scanners, scanner: store.header.scanners[scanner]},
            "simulated": card.simulated and store.header.provenance.get("kind") == "simulated",
            "trained": trained,
            "scores": {},
            "about": About(levels=card.about.levels),
            "versions": {"cl_seg": cl_seg.__version__, **versions()},
            "git_commit": git_commit(),
        }
    )
    save_model(out, weights, new)
    return new


def plan_seed_training(
    store: SliceStore, slices: pd.DataFrame, wanted: SeedTraining, card: ModelCard, cache: Path
) -> Plan:
    """The plan of a training that goes on from a saved network; all slices are for training.

    Args:
        store: with the slices.
        slices: rows of its table, of one scanner, with ``part``.
        wanted: how.
        card: of the saved network.
        cache: folder of finished stages.

    Raises:
        InputError: the network cannot be trained like that.
    """
    (scanner,) = slices["scanner"].unique()
    model, strategy, training = _settings(wanted, card)
    digests = part_digests(store, slices, [scanner], cache / "digests")
    if len(usable_slices(slices, card.classes)) < len(slices):
        # What background means depends on what a slice is labelled for.
        named = repr((digests[scanner, "train"], slices["labelled"].tolist()))
        digests[scanner, "train"] = hashlib.sha256(named.encode()).hexdigest()
    context = StageContext(
        name="seed-training",
        classes=card.classes,
        image=Image(size=card.input.size, window_hu=card.input.window_hu),
        training=training,
        models=[model],
        strategies=[strategy],
        store=store.folder,
        scanners=[scanner],
        rows=rows_by_part(slices, [scanner]),
        digests=digests,
        fingerprint=fingerprint(store.folder),
        environment=find_environment([model], [strategy], training),
    )
    base = StartingModel(wanted.base, card.weights_sha256)
    run = Run("seed", (scanner,), model, strategy, wanted.seed, starting_model=base)
    cases = cases_by_part(slices, [scanner])
    return Plan(context, plan_graph(context, [run]), store.header, cases)


def _labelled_slices(store: SliceStore, scanner: str, classes: list[str]) -> pd.DataFrame:
    scanner_slices = store.slices[store.slices["scanner"] == scanner]
    slices = partly_usable_slices(scanner_slices, classes)
    if slices.empty:
        raise InputError(
            f"no slice of {scanner} in {store.folder} is labelled for "
            f"{' or '.join(classes)}: import labels with `cl-seg seed import` first"
        )
    return slices.assign(part="train")


def _settings(
    wanted: SeedTraining, card: ModelCard
) -> tuple[ModelChoice, StrategyChoice, Training]:
    model = {
        **card.network.model_dump(include={"name", "preset", "arguments"}),
        "learning_rate": wanted.learning_rate or card.trained.get("learning_rate"),
    }
    frozen = {"name": "frozen_encoder", "settings": {"trains": wanted.tune}}
    strategy = {"name": "naive"} if wanted.tune == "all" else frozen
    training = {
        "steps": wanted.steps,
        "batch_size": wanted.batch_size,
        "curve_every": 0,
        "device": wanted.device,
    }
    return (
        _checked(ModelChoice, model, wanted.base),
        _checked(StrategyChoice, strategy, wanted.base),
        _checked(Training, training, wanted.base),
    )


def _checked(kind: type[SpecT], content: dict[str, Any], base: Path) -> SpecT:
    try:
        return kind.model_validate(
            content, context={"networks": NETWORKS, "strategies": STRATEGIES}
        )
    except ValidationError as error:
        fault = explain_errors(error, kind)[0]
        raise InputError(f"{base}: {fault}") from error


def _trained_weights(plan: Plan, cache: StageCache, on_progress: OnProgress) -> dict[str, Any]:
    """The network's state once all stages are computed."""
    weights: dict[str, Any] = {}

    def read(planned: PlannedRun) -> None:
        try:
            weights.update(from_bytes(cache.read(planned.training_keys[-1], state_file(2))))
        except ValueError as error:
            raise InputError(f"{cache.folder}: {error}: name another --cache") from error

    view = partial(_ReportsSteps, on_progress=on_progress)
    failed = compute_runs(plan.graph, plan.runs, cache, SingleEngine(), read, view)
    for failure in failed.values():
        raise RuntimeError(failure.log) if failure.log else InputError(failure.reason)
    return weights


class _ReportsSteps:
    """Reports the steps of the running stage."""

    def __init__(
        self,
        stage_queue: StageQueue,
        cache: StageCache,
        durations: Durations,
        on_progress: OnProgress,
    ) -> None:
        self.stage_queue, self.cache, self.on_progress = stage_queue, cache, on_progress

    @contextmanager
    def showing(self) -> Iterator[None]:
        yield

    def update(self) -> None:
        for key in self.stage_queue.running:
            if noted := read_progress(self.cache.working_folder(key)):
                self.on_progress(int(noted["step"]), int(noted["steps"]))

    def on_finished(self, stage: Stage) -> None:
        """Steps are reported meanwhile."""
