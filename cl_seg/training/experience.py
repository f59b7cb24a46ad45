"""One stage: training on one selection of slices, from one state to the next."""

from collections.abc import Mapping, Sequence
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn

from cl_seg.runtime.avalanche import DatasetExperience
from cl_seg.runtime.torch_setup import seed_everything
from cl_seg.spec.settings import Training
from cl_seg.training.augmentation import Augmentation, AugmentationConfig
from cl_seg.training.loop import DenseTraining, LoopSettings
from cl_seg.training.style.style import Style


def loop_settings(training: Training, learning_rate: float, steps: Sequence[int]) -> LoopSettings:
    """The part of a suite's training settings the loop needs.

    Args:
        training: of the suite.
        learning_rate: peak of the stage.
        steps: optimiser steps of every stage of the run up to this one.
    """
    return LoopSettings(
        steps=steps[-1],
        batch_size=training.batch_size,
        learning_rate=learning_rate,
        weight_decay=training.weight_decay,
        warmup=training.warmup,
        gradient_clip=training.gradient_clip,
        autocast=training.precision == "bfloat16",
        position=len(steps),
        steps_before=sum(steps[:-1]),
    )


def augmentation_config(training: Training, window_hu: tuple[float, float]) -> AugmentationConfig:
    """The part of a suite's training settings the augmentation needs."""
    width = window_hu[1] - window_hu[0]
    return AugmentationConfig(
        rotate_degrees=training.rotate_degrees,
        scale=training.scale,
        flip=training.flip,
        shift=training.shift_hu / width,
        style=None if training.augment.is_off else Style(training.augment, width),
    )


def experience_loop(
    model: nn.Module,
    seeds: Mapping[str, int],
    settings: LoopSettings,
    augmentation: AugmentationConfig,
    plugins: Sequence[Any],
) -> DenseTraining:
    """The training loop of one stage.

    Args:
        model: as the stage before left it.
        seeds: of the stage, from :func:`cl_seg.training.seeds.derive_seeds`.
        settings: of the loop.
        augmentation: ranges of the augmentation.
        plugins: Avalanche plugins.
    """
    seed_everything(seeds["global"])
    return DenseTraining(
        model=model,
        settings=settings,
        generator=torch.Generator().manual_seed(seeds["order"]),
        augment=Augmentation(augmentation, torch.Generator().manual_seed(seeds["augmentation"])),
        plugins=plugins,
        device=next(model.parameters()).device,
    )


def train_experience(loop: DenseTraining, experience: DatasetExperience[Any]) -> None:
    """Train the loop's model in place on one experience.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite.
        TrainingStopped: a plugin of the loop was asked to stop.
    """
    loop.train(experience, eval_streams=[])


def run_after_training_exp(
    loop: DenseTraining, experience: DatasetExperience[Any], plugin: Any
) -> None:
    """Run a plugin's ``after_training_exp`` on an experience that the model has been trained on.

    The plugin sees the model as at the end of a training that it is attached to.
    """
    loop.experience = experience
    plugin.after_training_exp(loop)
