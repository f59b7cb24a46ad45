"""Trains a saved network on the labelled slices of a new scanner, as a stage like any other."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd
from pydantic import ValidationError

import cl_seg
from cl_seg.files.write import check_new
from cl_seg.inference.saved_model import ModelCard, load_model, save_model
from cl_seg.labelling.choose import check_scanner
from cl_seg.labelling.embed import check_fits
from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import explain_errors
from cl_seg.models.declared import NETWORKS
from cl_seg.planning.data import fingerprint, part_digests, split_slices
from cl_seg.planning.environment import git_commit, versions
from cl_seg.planning.runs import Run
from cl_seg.planning.stage_graph import plan_graph
from cl_seg.planning.stages import Graph, Setting, environment
from cl_seg.scans.splits import partly_usable_slices, usable_slices
from cl_seg.scans.store import SliceStore
from cl_seg.spec.suite import SeedTrainingSuite
from cl_seg.strategies.declared import STRATEGIES
from cl_seg.suite.cache import DamagedStage, StageCache, state_file
from cl_seg.suite.progress import read_progress
from cl_seg.suite.stages import Control, execute_stage
from cl_seg.training.checkpoint import from_bytes

Tune = Literal["all", "decoder", "head"]
Progress = Callable[[int, int], None]
SECONDS = 0.5


@dataclass(frozen=True)
class SeedTraining:
    """How a saved network goes on.

    Attributes:
        base: model folder.
        own_network: trusted ``module:callable`` of it, where it is no network of the registry.
        tune: which of its weights are trained.
        steps: optimiser steps.
        batch_size: slices per step.
        learning_rate: peak; None takes the one it was trained with.
        seed: of everything random.
        device: ``auto`` takes a GPU where there is one.
    """

    base: Path
    own_network: str = ""
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
    tell: Progress,
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
        tell: called with the steps done and all.

    Raises:
        InputError: the model does not fit the store, nothing is labelled, or ``out`` exists.
    """
    check_new(out)
    check_scanner(store, scanner)
    _, card = load_model(wanted.base, wanted.own_network)
    check_fits(store, card, wanted.base)
    suite = _suite(store, scanner, wanted, card)
    graph = _plan(store, suite, card, cache)
    (run,) = graph.runs
    control = Control(stop=lambda: False)
    while True:
        try:
            for key in run.trained:
                with _watched(cache, key, tell):
                    execute_stage(graph.stages[key], cache, control)
            weights = from_bytes(cache.read(run.trained[-1], state_file(2)))
            break
        except DamagedStage:  # set aside by now, so that it is made again
            continue
        except ValueError as error:
            raise InputError(f"{cache.folder}: {error}: name another --cache") from error
    name = store.header.scanners[scanner]
    slices = split_slices(store.slices, suite, [scanner])
    labelled = {c: len(usable_slices(slices, [c])) for c in card.classes}
    trained = {
        "base": card.weights_sha256,
        "scanner": scanner,
        "slices": len(slices),
        "labelled": labelled,
        "patients": int(slices["patient"].nunique()),
        "tune": wanted.tune,
        "seed": wanted.seed,
        "learning_rate": suite.models[0].learning_rate,
        "training": suite.training.model_dump(mode="json"),
        "before": card.trained,
    }
    new = card.model_copy(
        update={
            "scanners": {**card.scanners, scanner: name},
            "simulated": card.simulated and store.header.provenance.get("kind") == "simulated",
            "trained": trained,
            "scores": {},
            "versions": {"cl_seg": cl_seg.__version__, **versions()},
            "git_commit": git_commit(),
        }
    )
    save_model(out, weights, new)
    return new


def _suite(
    store: SliceStore, scanner: str, wanted: SeedTraining, card: ModelCard
) -> SeedTrainingSuite:
    network = card.network
    rate = wanted.learning_rate or card.trained.get("learning_rate")
    strategy = (
        {"name": "naive"}
        if wanted.tune == "all"
        else {"name": "frozen_encoder", "settings": {"trains": wanted.tune}}
    )
    content = {
        "name": "seed-training",
        "data": {"store": store.folder},
        "classes": card.classes,
        "image": {"size": card.input.size, "window_hu": card.input.window_hu},
        "models": [
            {
                "name": network.name,
                "preset": network.preset,
                "arguments": network.arguments,
                "learning_rate": rate,
            }
        ],
        "strategies": [strategy],
        "seeds": [wanted.seed],
        "training": {
            "steps": wanted.steps,
            "batch_size": wanted.batch_size,
            "curve_every": 0,
            "device": wanted.device,
        },
        "base": wanted.base,
        "scanner": scanner,
    }
    try:
        return SeedTrainingSuite.model_validate(
            content, context={"networks": NETWORKS, "strategies": STRATEGIES}
        )
    except ValidationError as error:
        fault = explain_errors(error, SeedTrainingSuite)[0]
        raise InputError(f"{wanted.base}: {fault}") from error


def _plan(store: SliceStore, suite: SeedTrainingSuite, card: ModelCard, cache: StageCache) -> Graph:
    (model,), (strategy,), (seed,) = suite.models, suite.strategies, suite.seeds
    scanners = (suite.scanner,)
    own = store.slices[store.slices["scanner"] == suite.scanner]
    if partly_usable_slices(own, suite.classes).empty:
        raise InputError(
            f"no slice of {suite.scanner} in {store.folder} is labelled for "
            f"{' or '.join(suite.classes)}: import labels with `cl-seg seed import` first"
        )
    rows: pd.DataFrame = split_slices(store.slices, suite, scanners)
    digests = part_digests(store, rows, scanners, cache.folder / "digests")
    if len(usable_slices(rows, suite.classes)) < len(rows):
        # What background means depends on what a slice is labelled for.
        whole = repr((digests[suite.scanner, "train"], rows["labelled"].tolist()))
        digests[suite.scanner, "train"] = hashlib.sha256(whole.encode()).hexdigest()
    counts = {suite.scanner: {"train": len(rows)}}
    setting = Setting(
        *(suite, store.folder, scanners, digests, fingerprint(store.folder)),
        *(environment(suite), counts),
    )
    run = Run("seed", scanners, model, strategy, seed, base_model=card.weights_sha256)
    return plan_graph(setting, [run])


@contextmanager
def _watched(cache: StageCache, key: str, tell: Progress) -> Iterator[None]:
    """Tell how far a stage is while the block computes it."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(SECONDS):
            if noted := read_progress(cache.partial(key)):
                tell(int(noted["step"]), int(noted["steps"]))

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()
