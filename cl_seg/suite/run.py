"""One run from its spec to its record: the stream of stages, tested on every scanner after each."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from cl_seg import torch_setup  # isort: skip
import numpy as np
import pandas as pd
import torch
from avalanche.benchmarks.scenarios.dataset_scenario import DatasetExperience
from avalanche.training.plugins import SupervisedPlugin
from torch import nn

from cl_seg.benchmark import (
    SliceDataset,
    Task,
    TaskImages,
    dense_benchmark,
    stream_selections,
)
from cl_seg.models.registry import build_model, parameter_count
from cl_seg.scans.store import SliceStore
from cl_seg.spec import StreamSuite
from cl_seg.strategies.declared import STRATEGIES
from cl_seg.suite.data import split_slices
from cl_seg.suite.plan import Run
from cl_seg.suite.record import Outcome, Record, write_record
from cl_seg.training.evaluate import Labels, ValidationCurve, case_scores, predict
from cl_seg.training.stage import (
    StagePlace,
    augmentation_ranges,
    loop_settings,
    stage_seeds,
    train_stage,
)

JOINT = "all scanners"
OnStep = Callable[[], None]


@dataclass(frozen=True)
class Streams:
    """What a run trains and is scored on.

    Attributes:
        train: name and experience of every stage.
        validation: scanner → slices for curves.
        test: scanner → slices for R.
        spacing_mm: pixel size in mm.
    """

    train: list[tuple[str, DatasetExperience[Any]]]
    validation: dict[str, SliceDataset]
    test: dict[str, SliceDataset]
    spacing_mm: float


class StepCount(SupervisedPlugin):  # type: ignore[misc]
    """Calls back after every optimiser step, for progress bars."""

    def __init__(self, on_step: OnStep) -> None:
        super().__init__()
        self.on_step = on_step

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Count."""
        self.on_step()


def execute_run(
    run: Run, suite: StreamSuite, store: SliceStore, folder: Path, on_step: OnStep
) -> None:
    """Train and test one run and write its record to ``folder``, replacing an older one.

    Raises:
        InputError: the data do not fit the suite, or the loss became non-finite.
    """
    torch_setup.make_deterministic(suite.training.threads)
    device = torch_setup.pick_device(suite.training.device)
    task = Task(tuple(suite.classes), suite.image.size, suite.image.window_hu)
    images = TaskImages(store, task, device)
    slices = split_slices(store.slices, suite, run.order)

    torch.manual_seed(stage_seeds(StagePlace(run.seed, 0, "initial weights"))["global"])
    model = build_model(
        run.model.name,
        run.model.preset,
        run.model.arguments,
        len(suite.classes) + 1,
        suite.image.size,
    ).to(device)
    streams = _streams(run, images, slices)
    outcome = _train_stream(model, run, suite, streams, on_step)
    about = {
        "device": str(device),
        "processor": _processor(device),
        "parameters": parameter_count(model),
        "slices": slices.groupby(["scanner", "part"]).size().unstack(fill_value=0).T.to_dict(),
    }
    write_record(folder, Record(run, suite, store.header, outcome, about))


def _streams(run: Run, images: TaskImages, slices: pd.DataFrame) -> Streams:
    selections = stream_selections(slices, run.order)
    names, train = list(run.order), selections["train"]
    if run.joint:
        names, train = [JOINT], [pd.concat(train)]
    experiences = dense_benchmark(images, {"train": train}).train_stream
    validation, test = (
        {
            scanner: SliceDataset(images, rows)
            for scanner, rows in zip(run.order, selections[part], strict=True)
            if len(rows)
        }
        for part in ("validation", "test")
    )
    return Streams(list(zip(names, experiences, strict=True)), validation, test, images.spacing_mm)


def _train_stream(
    model: nn.Module, run: Run, suite: StreamSuite, streams: Streams, on_step: OnStep
) -> Outcome:
    training, outcome = suite.training, Outcome()
    curve = ValidationCurve(streams.validation, suite.classes, training.curve_every)
    plugins = [curve, StepCount(on_step), *_strategy_plugins(run)]
    ranges = augmentation_ranges(training, suite.image.window_hu)
    _test(model, 0, suite.classes, streams, outcome)
    stages = zip(streams.train, run.stage_steps(training.steps), strict=True)
    for position, ((name, experience), steps) in enumerate(stages, start=1):
        started = time.perf_counter()
        place = StagePlace(run.seed, position, name)
        settings = loop_settings(training, run.learning_rate, steps)
        train_stage(model, experience, place, settings, ranges, plugins)
        trained = time.perf_counter()
        _test(model, position, suite.classes, streams, outcome)
        outcome.curve += [{"stage": position, **row} for row in curve.rows]
        curve.rows = []
        outcome.stages.append(
            {
                "position": position,
                "selection": name,
                "steps": steps,
                "train_seconds": round(trained - started, 2),
                "test_seconds": round(time.perf_counter() - trained, 2),
            }
        )
    return outcome


def _strategy_plugins(run: Run) -> list[Any]:
    declared = STRATEGIES[run.strategy.name]
    if declared.plugin is None:
        return []
    module, _, name = declared.plugin.partition(":")
    settings = declared.settings.model_validate(run.strategy.settings)
    seed = stage_seeds(StagePlace(run.seed, 0, "strategy"))["global"]
    return [getattr(import_module(module), name)(settings, seed)]


def _test(
    model: nn.Module, stage: int, classes: list[str], streams: Streams, outcome: Outcome
) -> None:
    for scanner, slices in streams.test.items():
        prediction, truth = predict(model, slices)
        rows = slices.rows
        patients = dict(zip(rows["case"], rows["patient"], strict=True))
        for row in case_scores(prediction, truth, list(rows["case"]), classes, streams.spacing_mm):
            place = {"stage": stage, "scanner": scanner, "patient": patients[row["case"]]}
            outcome.cases.append({**place, **row})
        if not stage:
            continue
        shown = _example_slice(truth, len(classes))
        outcome.examples[f"{scanner}/last"] = prediction[shown]
        if stage == 1:
            image, _ = slices[shown]
            grey = (image[0] * 255).round().to(torch.uint8).cpu().numpy()
            outcome.examples[f"{scanner}/image"] = grey
            outcome.examples[f"{scanner}/truth"] = truth[shown]
            outcome.examples[f"{scanner}/first"] = prediction[shown]


def _example_slice(truth: Labels, classes: int) -> int:
    """A typical slice, not the easiest: median labelled area among those with most classes."""
    areas = np.stack([(truth == label).sum((1, 2)) for label in range(1, classes + 1)], axis=1)
    richness = (areas > 0).sum(axis=1)
    rich = np.flatnonzero(richness == richness.max())
    ranked = rich[np.argsort(areas[rich].sum(axis=1), kind="stable")]
    return int(ranked[len(ranked) // 2])


def _processor(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
