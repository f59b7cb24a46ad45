"""Strategies that train on the same slices in turn, and what a step of each takes."""

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch

from cl_seg.benchmark.experiences import dense_benchmark
from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.models.build import build_model
from cl_seg.scans.store import SliceStore
from cl_seg.strategies.build import build_plugin
from cl_seg.training.loop import DenseTraining, LoopSettings

RATE = 1e-3
CPU = torch.device("cpu")
OURS: dict[str, tuple[str, dict[str, Any]]] = {
    "naive": ("naive", {}),
    "replay": ("replay", {"budget": 8}),
    "ewc": ("ewc", {}),
    "ewc batch": ("ewc", {"fisher": "batch"}),
    "si": ("si", {}),
    "mas": ("mas", {}),
    "lwf": ("lwf", {}),
    "pod": ("pod", {}),
    "rwalk": ("rwalk", {}),
    "agem": ("agem", {"budget": 8}),
    "der": ("der", {"budget": 8}),
    "latent replay": ("latent_replay", {"budget": 8}),
    "l2": ("l2", {}),
    "weight averaging": ("weight_averaging", {}),
    "moving average": ("weight_averaging", {"share": 1.0, "ema": 0.99}),
    "frozen encoder": ("frozen_encoder", {}),
    "norm per scanner": ("norm_per_scanner", {}),
    "adapters": ("adapters", {}),
}
"""Contender → strategy and its settings."""
BOUNDS = {"replay": 1.10, "ewc": 1.25, "si": 1.10, "mas": 1.25, "lwf": 1.5}
"""Contender → the most that a step of it should take, as a ratio to fine-tuning."""


@dataclass(frozen=True)
class Setting:
    """What all contenders train.

    Attributes:
        network: name in the registry.
        preset: its size.
        size: height and width of the images.
        batch: slices per step.
        slices: of an experience.
        epochs: passes over the slices of an experience.
        device: where to train.
    """

    network: str
    preset: str = "small"
    size: int = 64
    batch: int = 4
    slices: int = 16
    epochs: int = 10
    device: torch.device = CPU

    @property
    def steps(self) -> int:
        """Optimiser steps of an experience."""
        return self.epochs * self.slices // self.batch


class Contest:
    """The slices of some experiences, and a training on them of every strategy.

    Args:
        store: with so many scanners, or more.
        setting: what is trained.
        experiences: of the stream.
    """

    def __init__(self, store: Path, setting: Setting, experiences: int) -> None:
        task = Task(("muscle", "liver"), setting.size, (-160.0, 240.0))
        self.setting = setting
        self.images = TaskImages(SliceStore(store), task, setting.device)
        rows = self.images.store.slices
        scanners = self.images.store.scanners[:experiences]
        self.parts = [rows[rows["scanner"] == s].iloc[: setting.slices] for s in scanners]
        self.ours = dense_benchmark(self.images, {"train": self.parts}).train_stream

    def model(self) -> torch.nn.Module:
        """The untrained network."""
        torch.manual_seed(0)
        model = build_model(self.setting.network, self.setting.preset, {}, 3, self.setting.size)
        return model.to(self.setting.device)

    def train_ours(self, name: str) -> float:
        """Seconds per optimiser step."""
        strategy, settings = OURS[name]
        model, plugin = self.model(), build_plugin(strategy, settings, 0)
        started = time.perf_counter()
        for position, experience in enumerate(self.ours):
            self.loop(model, plugin, position).train(experience, eval_streams=[])
        wait_for(model)
        return (time.perf_counter() - started) / (self.setting.steps * len(self.ours))

    def loop(self, model: torch.nn.Module, plugin: Any, position: int) -> DenseTraining:
        """Our loop of one experience."""
        loop = DenseTraining(
            model=model,
            settings=LoopSettings(self.setting.steps, self.setting.batch, RATE),
            generator=torch.Generator().manual_seed(position),
            plugins=[plugin] if plugin else [],
            device=self.setting.device,
        )
        loop.clock.train_exp_counter = position
        return loop


def wait_for(model: torch.nn.Module) -> None:
    """Wait until a training is done; a GPU goes on after the call that began it."""
    next(model.parameters()).sum().item()


def times_in_turn(
    contenders: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    """Times of every contender, in an order that changes from round to round.

    Args:
        contenders: name → trains, and returns seconds per step; each is run once before.
        rounds: in which all run once.
    """
    for train in contenders.values():
        train()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    shuffle = random.Random(0)
    for _ in range(rounds):
        for name in shuffle.sample(list(contenders), len(contenders)):
            times[name].append(contenders[name]())
    return times


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """Median and quartiles over rounds of the ratio of two times of one round."""
    each = [a / b for a, b in zip(above, below, strict=True)]
    low, middle, high = statistics.quantiles(each, n=4)
    return {"median": middle, "low": low, "high": high}
