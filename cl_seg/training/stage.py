"""One stage: training on one selection of slices, from one state to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import cl_seg.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import torch
from avalanche.benchmarks.scenarios.dataset_scenario import DatasetExperience
from torch import nn

from cl_seg.spec import Training
from cl_seg.training.augmentation import Augmentation, Ranges
from cl_seg.training.loop import DenseTraining, LoopSettings

GENERATORS = ("global", "order", "augmentation")


@dataclass(frozen=True)
class StagePlace:
    """Where a stage stands; its randomness is spawned from nothing else.

    Attributes:
        seed: of the run.
        position: from 1.
        selection: name of what it trains on, usually a scanner.
    """

    seed: int
    position: int
    selection: str


def stage_seeds(place: StagePlace) -> dict[str, int]:
    """Independent seeds per purpose, so that no stage depends on what ran before it."""
    entropy = (place.seed, place.position, crc32(place.selection.encode()))
    words = np.random.SeedSequence(entropy).generate_state(len(GENERATORS), np.uint64)
    return {name: int(w >> np.uint64(1)) for name, w in zip(GENERATORS, words, strict=True)}


def loop_settings(training: Training, learning_rate: float, steps: int) -> LoopSettings:
    """The part of a suite's training settings the loop needs."""
    return LoopSettings(
        steps=steps,
        batch_size=training.batch_size,
        learning_rate=learning_rate,
        weight_decay=training.weight_decay,
        warmup=training.warmup,
        gradient_clip=training.gradient_clip,
        autocast=training.precision == "bfloat16",
    )


def augmentation_ranges(training: Training, window_hu: tuple[float, float]) -> Ranges:
    """The part of a suite's training settings the augmentation needs."""
    return Ranges(
        rotate_degrees=training.rotate_degrees,
        scale=training.scale,
        flip=training.flip,
        shift=training.shift_hu / (window_hu[1] - window_hu[0]),
    )


def train_stage(
    model: nn.Module,
    experience: DatasetExperience[Any],
    place: StagePlace,
    settings: LoopSettings,
    ranges: Ranges,
    plugins: Sequence[Any],
) -> None:
    """Train ``model`` in place; the plugins consolidate what they keep at the end.

    Avalanche's clock is set to the stage's position, which plugins read, so that a stage can start
    from the files of the one before.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite.
    """
    seeds = stage_seeds(place)
    torch.manual_seed(seeds["global"])
    loop = DenseTraining(
        model=model,
        settings=settings,
        generator=torch.Generator().manual_seed(seeds["order"]),
        augment=Augmentation(ranges, torch.Generator().manual_seed(seeds["augmentation"])),
        plugins=plugins,
        device=next(model.parameters()).device,
    )
    loop.clock.train_exp_counter = place.position - 1
    loop.train(experience, eval_streams=[])
