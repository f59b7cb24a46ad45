"""One stage: training on one selection of slices, from one state to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.benchmarks.scenarios.dataset_scenario import DatasetExperience
from torch import nn

from cl_seg.runtime.torch_setup import seed_everything
from cl_seg.spec.settings import Training
from cl_seg.training.augmentation import Augmentation, Ranges
from cl_seg.training.loop import DenseTraining, LoopSettings
from cl_seg.training.seeds import derive_seeds


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


def stage_loop(
    model: nn.Module,
    place: StagePlace,
    settings: LoopSettings,
    ranges: Ranges,
    plugins: Sequence[Any],
    steps_before: int = 0,
) -> DenseTraining:
    """The training loop of one stage, its randomness spawned from the stage's place.

    Avalanche's clock, which plugins read, is set to the stage's position and the steps of the
    stages before, so that a stage can start from the files of the one before.
    """
    seeds = derive_seeds(place.seed, place.position, place.selection)
    seed_everything(seeds["global"])
    loop = DenseTraining(
        model=model,
        settings=settings,
        generator=torch.Generator().manual_seed(seeds["order"]),
        augment=Augmentation(ranges, torch.Generator().manual_seed(seeds["augmentation"])),
        plugins=plugins,
        device=next(model.parameters()).device,
    )
    loop.clock.train_exp_counter = place.position - 1
    loop.clock.train_iterations = loop.clock.total_iterations = steps_before
    return loop


def train_stage(loop: DenseTraining, experience: DatasetExperience[Any]) -> None:
    """Train the loop's model in place on one experience.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite.
        Stopped: a plugin of the loop was asked to stop.
    """
    loop.train(experience, eval_streams=[])


def consolidate_stage(loop: DenseTraining, experience: DatasetExperience[Any], plugin: Any) -> None:
    """Let a plugin take in an experience that the loop's model has been trained on.

    It sees the model as training left it, as at the end of a training with the plugin attached.
    """
    loop.experience = experience
    plugin.after_training_exp(loop)
