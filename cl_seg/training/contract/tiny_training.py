"""Tiny trainings of a strategy: three experiences of five random images, a few steps on each.

They run on the device of the network that is given.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from cl_seg.runtime.avalanche import AvalancheDataset, benchmark_from_datasets, one_task
from cl_seg.runtime.serialise import from_bytes
from cl_seg.training.augmentation import Augmentation, AugmentationConfig
from cl_seg.training.checkpoint import CheckpointPlugin, State, TrainingStopped, read_checkpoint
from cl_seg.training.contract.strategy_under_test import CLASSES, StrategyUnderTest
from cl_seg.training.loop import DenseTraining, LoopSettings

SLICES = 5
EXPERIENCES = 3
AUGMENTATION = AugmentationConfig(rotate_degrees=10.0, scale=0.1, flip=True, shift=0.05)
SETTINGS = LoopSettings(
    steps=4, batch_size=2, learning_rate=3e-3, weight_decay=1e-4, gradient_clip=1.0
)

Weights = dict[str, Tensor]
Images = list[list[Tensor]]
"""Images (N, 1, S, S) and masks (N, S, S) of every experience."""


def random_experiences(size: int) -> Images:
    """Smooth random images and masks of three classes; each experience is darker than the last."""
    generator = torch.Generator().manual_seed(0)
    parts = []
    for k in range(EXPERIENCES):
        coarse = torch.rand(SLICES, 1, size // 8, size // 8, generator=generator)
        images = nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
        masks = (images[:, 0] * CLASSES).long().clamp(max=CLASSES - 1)
        parts.append([images * (1 - 0.2 * k), masks])
    return parts


@lru_cache(maxsize=2)  # checks that follow one another look at the same trainings
def train(strategy: StrategyUnderTest, settings: LoopSettings = SETTINGS) -> list[Weights]:
    """Weights after each experience of a stream trained in one process, not to be changed."""
    loops = train_on(strategy, random_experiences(strategy.size), settings)
    return [copy.deepcopy(loop.model.state_dict()) for loop, _ in loops]


def train_on(
    strategy: StrategyUnderTest, experiences: Images, settings: LoopSettings = SETTINGS
) -> Iterator[tuple[DenseTraining, Any]]:
    """The loop and the plugin after each experience, as it is trained."""
    plugin, model = strategy.make_plugin(), strategy.make_model()
    for position, experience in enumerate(_stream(experiences), start=1):
        loop = _loop(settings, model, plugin, position)
        loop.train(experience, eval_streams=[])
        model = loop.model
        yield loop, plugin


def train_from_files(
    strategy: StrategyUnderTest,
    position: int,
    weights: bytes,
    state: bytes | None,
    checkpoint: State,
) -> tuple[DenseTraining, Any]:
    """Train an experience from saved files; without a checkpoint, stop in the middle of it.

    Raises:
        TrainingStopped: with the checkpoint.
    """
    model, plugin = strategy.make_model(), strategy.make_plugin()
    model.load_state_dict(from_bytes(weights))
    if state is not None:
        plugin.load_state_dict(from_bytes(state, None))
    loop = _loop(SETTINGS, model, plugin, position)
    loop.checkpoint = checkpoint
    experience = _stream(random_experiences(strategy.size))[position - 1]
    with TemporaryDirectory() as name:
        file = Path(name) / "checkpoint.pt"
        if not checkpoint:
            steps = count(1)
            half = SETTINGS.steps // 2
            loop.plugins.append(CheckpointPlugin(file, math.inf, lambda: next(steps) == half))
        try:
            loop.train(experience, eval_streams=[])
        except TrainingStopped:
            raise TrainingStopped(read_checkpoint(file)) from None
    return loop, plugin


def _loop(settings: LoopSettings, model: nn.Module, plugin: Any, position: int) -> DenseTraining:
    return DenseTraining(
        model=model,
        settings=replace(settings, position=position, steps_before=(position - 1) * settings.steps),
        generator=torch.Generator().manual_seed(position),
        augment=Augmentation(AUGMENTATION, torch.Generator().manual_seed(position)),
        plugins=[] if plugin is None else [plugin],
        device=next(model.parameters()).device,
    )


def _stream(experiences: Images) -> Any:
    datasets = [
        AvalancheDataset([TensorDataset(*part)], data_attributes=[one_task(len(part[0]))])
        for part in experiences
    ]
    return benchmark_from_datasets(train=datasets).train_stream
