"""One stage, from the files of the stages before it to its own."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from cl_seg.runtime import torch_setup  # isort: skip
import numpy as np
import pandas as pd
import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import nn

from cl_seg.active_learning.embedding import embed
from cl_seg.active_learning.ranking import Candidates, rank
from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.benchmark.preprocess import windowed
from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.files.write import write_bytes, write_json
from cl_seg.inference.saved_model import load_model
from cl_seg.messages.errors import InputError
from cl_seg.models.declared import NETWORKS
from cl_seg.models.registry import build_model, parameter_count
from cl_seg.planning.data import split_slices
from cl_seg.planning.environment import processor
from cl_seg.planning.runs import Run
from cl_seg.planning.stages import Setting, Stage, check_unchanged
from cl_seg.scans.store import SliceStore
from cl_seg.spec.suite import SeedTrainingSuite, Suite
from cl_seg.strategies.declared import declared_strategy
from cl_seg.strategies.registry import build_plugin
from cl_seg.strategies.shared.slice_memory import SliceMemory
from cl_seg.suite.cache import (
    ABOUT,
    CASES,
    CHECKPOINT,
    CURVE,
    EXAMPLE,
    MEMORY,
    RANKING,
    StageCache,
    state_file,
)
from cl_seg.suite.peak_memory import begin_peak, peak_bytes
from cl_seg.suite.progress import write_progress
from cl_seg.training.checkpoint import (
    Checkpointing,
    Stopped,
    Stopping,
    from_bytes,
    read_checkpoint,
    to_bytes,
)
from cl_seg.training.evaluate import (
    Labels,
    ValidationCurve,
    case_scores,
    predict,
    ranked_slices,
    slice_dice,
)
from cl_seg.training.loop import DenseTraining
from cl_seg.training.pseudo_labels import with_pseudo_labels
from cl_seg.training.stage import (
    augmentation_config,
    consolidate_stage,
    derive_seeds,
    loop_settings,
    stage_loop,
    train_stage,
)

CURVE_COLUMNS = ["stage", "step", "scanner", "class", "overlap", "predicted", "true"]


@dataclass(frozen=True)
class Control:
    """How the work on a stage is stopped and saved, without an influence on its result.

    Attributes:
        stop: True when it shall stop after the current step.
        checkpoint_seconds: between two checkpoints.
    """

    stop: Callable[[], bool]
    checkpoint_seconds: float = 30.0


class StepProgress(SupervisedPlugin):  # type: ignore[misc]
    """Notes the optimiser steps done and the latest validation Dice where the stage is worked on.

    Args:
        folder: where the stage is worked on.
        curve: scored before this plugin is called.
        offset: steps of the stage done before this experience.
        steps: of the whole stage.
    """

    def __init__(self, folder: Path, curve: ValidationCurve, offset: int, steps: int) -> None:
        super().__init__()
        self.folder, self.curve = folder, curve
        self.offset, self.steps = offset, steps
        self.began, self.done, self.last = time.monotonic(), 0, 0.0

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Note about once a second."""
        self.done += 1
        now = time.monotonic()
        if now - self.last > 1:
            pace = (now - self.began) / self.done
            step = self.offset + strategy.step
            write_progress(self.folder, step, self.steps, pace, self.curve.rows)
            self.last = now


def execute_stage(stage: Stage, cache: StageCache, control: Control) -> None:
    """Compute a stage unless the cache has it, from what the cache holds.

    Raises:
        InputError: data, packages, source or device are not those the suite was planned with, the
            loss became non-finite, or the cache cannot be written.
        DamagedStage: a stage it starts from is damaged.
        Stopped: it was asked to stop.
    """
    if control.stop():
        raise Stopped
    with cache.claim(stage.key, control.stop) as results:
        if results is not None:
            import_named(stage.setting.suite)
            check_unchanged(stage.setting)
            started = time.perf_counter()
            work = _Work(stage, cache, control)
            begin_peak(work.device)
            made = {
                "load": _load,
                "train": _train,
                "consolidate": _consolidate,
                "rank": _rank,
                "evaluate": _evaluate,
            }
            about = made[stage.kind](work, results)
            check_unchanged(stage.setting)
            cost = {
                "seconds": round(time.perf_counter() - started + about.pop("earlier", 0.0), 3),
                "peak_bytes": peak_bytes(work.device),
            }
            write_json(results / ABOUT, {**work.about, **about, **cost})
            return
    if not cache.has(stage.key):
        raise Stopped


def import_named(suite: Suite) -> None:
    """Import every network and strategy of a suite.

    Done before their source is compared with what the suite was planned with, so that what is
    computed afterwards is from that source. What cannot be imported fails where it is used.
    """
    builders = [NETWORKS[m.name].builder if m.name in NETWORKS else m.name for m in suite.models]
    plugins = [declared_strategy(s.name).plugin or "" for s in suite.strategies]
    for target in filter(None, [*builders, *plugins]):
        with suppress(Exception):
            import_module(target.partition(":")[0])


class _Work:
    """The state a stage starts from, and the data it sees."""

    def __init__(self, stage: Stage, cache: StageCache, control: Control) -> None:
        self.stage, self.cache, self.control = stage, cache, control
        self.suite, self.run = stage.setting.suite, stage.run
        torch_setup.make_deterministic(self.suite.training.threads)
        torch_setup.keep_freed_memory()
        self.device = torch_setup.pick_device(stage.setting.environment["device"])
        self.images, self.slices = _data(stage.setting, self.device)
        self.model = initial_model(self.run, self.suite).to(self.device)
        if stage.state:
            kept = cache.read(stage.state, state_file(stage.begins_after))
            self.model.load_state_dict(from_bytes(kept, self.device))

    @property
    def about(self) -> dict[str, Any]:
        """What is kept beside every result."""
        stage = self.stage
        on_gpu = self.device.type == "cuda"
        return {
            "kind": stage.kind,
            "title": stage.title,
            "pace": stage.pace,
            "steps": stage.steps,
            "device": str(self.device),
            "processor": torch.cuda.get_device_name(self.device) if on_gpu else processor(),
            "parameters": parameter_count(self.model),
        }

    def rows(self, scanners: tuple[str, ...], part: str) -> pd.DataFrame:
        """The slices of a part, scanner by scanner."""
        own = self.slices[self.slices["part"] == part]
        return pd.concat([own[own["scanner"] == scanner] for scanner in scanners])

    def experience(self, position: int) -> Any:
        """An experience of the run, in a stream with those before it."""
        groups = [scanners for scanners in self.run.experiences[:position] if scanners]
        train = [self.rows(scanners, "train") for scanners in groups]
        if self.stage.ranking and position == len(self.run.experiences):
            train[-1] = self._labelled(train[-1])
        images = self.images
        if isinstance(self.suite, SeedTrainingSuite):  # labels may be of some of the classes
            images, train[-1] = with_pseudo_labels(images, train[-1], self.model)
        return dense_benchmark(images, {"train": train}).train_stream[-1]

    def _labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The slices of a new scanner that are labelled: the first of the ranking."""
        assert self.run.seed_images is not None
        count, name = self.run.seed_images.count, self.run.order[-1]
        ranking = json.loads(self.cache.read(self.stage.ranking, RANKING))
        if len(ranking) < count:
            raise InputError(
                f"seed_images: {count} slices are to be labelled, {name} has {len(ranking)} for "
                "training: ask for fewer"
            )
        return rows[rows["slice_id"].isin(ranking[:count])]

    def curve(self, position: int) -> ValidationCurve:
        """Of the validation slices of the scanners seen so far."""
        seen = [s for scanners in self.run.experiences[:position] for s in scanners]
        rows = {s: self.rows((s,), "validation") for s in seen}
        slices = {s: SliceDataset(self.images, own) for s, own in rows.items() if len(own)}
        return ValidationCurve(slices, self.suite.classes, self.suite.training.curve_every)

    def plugin(self) -> Any:
        """The strategy's plugin with its memory of the experiences before, or None."""
        plugin = strategy_plugin(self.run)
        if plugin is not None and self.stage.memory:
            kept = from_bytes(self.cache.read(self.stage.memory, MEMORY), None)
            plugin.load_state_dict(kept)
        return plugin

    def loop(self, position: int, plugins: list[Any]) -> DenseTraining:
        """The training loop of an experience."""
        training = self.suite.training
        steps = self.run.stage_steps(training.steps)
        return stage_loop(
            self.model,
            derive_seeds(self.run.seed, position, self.run.stage_name(position)),
            loop_settings(training, self.run.learning_rate, steps[:position]),
            augmentation_config(training, self.suite.image.window_hu),
            plugins,
        )

    def take(self, model: nn.Module) -> None:
        """Go on with the network a loop has trained, which a plugin may have put there.

        Raises:
            InputError: its weights do not fit the network of the run.
        """
        shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (self.model, model)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"strategy {self.run.strategy.name} replaced the network by one with other weights"
            )
        self.model = model


def _load(work: _Work, results: Path) -> dict[str, Any]:
    """The state of a saved network, in the place of a first training.

    Raises:
        InputError: it is not the one the training was planned with.
    """
    suite = work.suite
    assert isinstance(suite, SeedTrainingSuite)
    model, card = load_model(suite.base, work.run.model.name)
    if card.weights_sha256 != work.run.base_model:
        raise InputError(f"{suite.base} has changed since the training was planned: run it again")
    work.take(model)
    write_bytes(results / state_file(1), to_bytes(model.state_dict()))
    return {}


def _train(work: _Work, results: Path) -> dict[str, Any]:
    stage, control = work.stage, work.control
    memory = declared_strategy(work.run.strategy.name).memory
    partial = work.cache.partial(stage.key)
    file = partial / CHECKPOINT
    plugin = work.plugin() if stage.acts else None
    if memory == "during_training":
        plain_state(plugin, work.run.strategy.name)
    acting = [] if plugin is None else [plugin]
    trained: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    earlier = 0.0  # seconds, in processes that were stopped
    for position in range(stage.first, stage.position + 1):
        started = time.perf_counter()
        curve = work.curve(position)
        progress = StepProgress(partial, curve, sum(t["steps"] for t in trained), stage.steps)
        if stage.whole:
            loop = work.loop(position, [*acting, curve, progress, Stopping(control.stop)])
        else:
            saving = Checkpointing(file, control.checkpoint_seconds, control.stop)
            loop = work.loop(position, [*acting, curve, progress, saving])
            loop.checkpoint = read_checkpoint(file)
            earlier = float(loop.checkpoint.get("seconds", 0.0))
        loop.consolidates = memory != "after_training"
        train_stage(loop, work.experience(position))
        work.take(loop.model)
        write_bytes(results / state_file(position), to_bytes(work.model.state_dict()))
        points += [{"stage": position, **row} for row in curve.rows]
        seconds = round(time.perf_counter() - started + earlier, 3)
        place = {"position": position, "selection": work.run.stage_name(position)}
        trained.append({**place, "steps": loop.settings.steps, "seconds": seconds})
    kept = {}
    if memory == "during_training":
        write_bytes(results / MEMORY, plain_state(plugin, work.run.strategy.name))
        kept = burden(plugin, work.suite.image.size)
    pd.DataFrame(points, columns=CURVE_COLUMNS).to_parquet(results / CURVE, index=False)
    return {"trained": trained, "earlier": earlier, **kept}


def _consolidate(work: _Work, results: Path) -> dict[str, Any]:
    position, plugin = work.stage.position, work.plugin()
    consolidate_stage(work.loop(position, [plugin]), work.experience(position), plugin)
    write_bytes(results / MEMORY, to_bytes(plugin.state_dict()))
    return burden(plugin, work.suite.image.size)


def _rank(work: _Work, results: Path) -> dict[str, Any]:
    images, target = work.run.seed_images, work.run.order[-1]
    assert images is not None
    rows = work.rows((target,), "train").reset_index(drop=True)
    features = entropy = None
    if work.stage.state:
        features, entropy = embed(work.model, SliceDataset(work.images, rows))
    seed = derive_seeds(work.run.seed, 0, f"ranking by {images.by}")["global"]
    order = rank(images.by, Candidates(rows, features, entropy), seed)
    write_json(results / RANKING, [str(rows["slice_id"][index]) for index in order])
    return {"scanner": target}


def _evaluate(work: _Work, results: Path) -> dict[str, Any]:
    stage, classes = work.stage, work.suite.classes
    rows = work.rows((stage.scanner,), "test").reset_index(drop=True)
    slices = SliceDataset(work.images, rows)
    if stage.memory:
        work.plugin().load_scanner_statistics(work.model, work.run.learned_at(stage.scanner) - 1)
    prediction, truth = predict(work.model, slices)
    patients = dict(zip(rows["case"], rows["patient"], strict=True))
    store = work.images.store
    mm = store.header.grid.spacing_mm
    scores = case_scores(prediction, truth, list(rows["case"]), classes, mm)
    place = {"stage": stage.position, "scanner": stage.scanner}
    cut = rows.groupby("case")["body_cut"].any()
    cases = [
        {**place, "patient": patients[row["case"]], **row, "body_cut": bool(cut[row["case"]])}
        for row in scores
    ]
    pd.DataFrame(cases).to_parquet(results / CASES, index=False)
    dice = slice_dice(prediction, truth, len(classes))
    shown = [example_slice(truth, len(classes)), *ranked_slices(dice)]
    pixels = [store.hu(stage.scanner)[row] for row in rows["row"].iloc[shown]]
    shades = windowed(torch.from_numpy(np.stack(pixels)), work.suite.image.window_hu)
    np.savez_compressed(
        results / EXAMPLE,
        image=(shades[:, 0] * 255).round().to(torch.uint8).numpy(),
        truth=truth[shown],
        prediction=prediction[shown],
        dice=dice[shown],
    )
    return {"position": stage.position, "scanner": stage.scanner}


def initial_model(run: Run, suite: Suite) -> nn.Module:
    """The untrained network of a run, its weights drawn from the run's seed."""
    torch_setup.seed_everything(derive_seeds(run.seed, 0, "initial weights")["global"])
    classes, size = len(suite.classes) + 1, suite.image.size
    return build_model(run.model.name, run.model.preset, run.model.arguments, classes, size)


def strategy_plugin(run: Run) -> Any:
    """The Avalanche plugin of a run's strategy as it is before the first experience, or None."""
    seed = derive_seeds(run.seed, 0, "strategy")["global"]
    return build_plugin(run.strategy.name, run.strategy.settings, seed)


def plain_state(plugin: Any, name: str) -> bytes:
    """A plugin's state as bytes that can be read again without unpickling code.

    Raises:
        InputError: it holds something else.
    """
    try:
        content = to_bytes(plugin.state_dict())
        from_bytes(content)
    except Exception as error:  # whatever its own code or pickle raises
        raise InputError(
            f"strategy {name}: what state_dict() gives cannot be kept, it must be tensors and "
            f"plain data ({str(error).splitlines()[0]})"
        ) from error
    return content


def burden(plugin: Any, size: int) -> dict[str, int]:
    """What a strategy keeps of the experiences so far: slices, and bytes with its tensors.

    A slice kept is counted as the image and mask it needs: 3 bytes per pixel, wherever they are.
    """
    slices = sum(map(len, plugin.memory.values())) if isinstance(plugin, SliceMemory) else 0
    return {
        "kept_slices": slices,
        "kept_bytes": slices * size * size * 3 + tensor_bytes(plugin.state_dict()),
    }


def tensor_bytes(state: Any) -> int:
    """Bytes of all tensors in plain data."""
    if isinstance(state, torch.Tensor):
        return int(state.nbytes)
    if isinstance(state, dict):
        state = state.values()
    elif not isinstance(state, list | tuple):
        return 0
    return sum(map(tensor_bytes, state))


def example_slice(truth: Labels, classes: int) -> int:
    """A typical slice, not the easiest: median labelled area among those with most classes."""
    areas = np.stack([(truth == label).sum((1, 2)) for label in range(1, classes + 1)], axis=1)
    richness = (areas > 0).sum(axis=1)
    rich = np.flatnonzero(richness == richness.max())
    ranked = rich[np.argsort(areas[rich].sum(axis=1), kind="stable")]
    return int(ranked[len(ranked) // 2])


def _data(setting: Setting, device: torch.device) -> tuple[TaskImages, pd.DataFrame]:
    suite = setting.suite
    task = Task(tuple(suite.classes), suite.image.size, suite.image.window_hu)
    images = _task_images(setting.store, setting.fingerprint, task, device)
    return images, split_slices(images.store.slices, suite, list(setting.scanners))


@lru_cache(maxsize=2)
def _task_images(store: Path, _fingerprint: object, task: Task, device: torch.device) -> TaskImages:
    return TaskImages(SliceStore(store), task, device)
