"""The training loop in one file, to be read from top to bottom.

Avalanche's ``SupervisedTemplate`` calls ``_train_exp`` once per experience; it and
``training_epoch`` are overridden wholly, so that what happens in a step is all here, while every
plugin written for Avalanche finds the hooks and attributes it expects.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, RandomSampler, default_collate

from cl_seg.losses import coarser_loss, dice_cross_entropy
from cl_seg.messages.errors import InputError
from cl_seg.runtime.avalanche import EvaluationPlugin, SupervisedTemplate
from cl_seg.runtime.deep_supervision import coarser_logits
from cl_seg.runtime.torch_setup import seed_everything
from cl_seg.training.augmentation import SpatialTransform
from cl_seg.training.checkpoint import State, restore_loop

Augment = Callable[[Tensor], SpatialTransform]
GPU_LOSS_CHECK_STEPS = 50


@dataclass(frozen=True)
class LoopSettings:
    """Settings of the training of one experience, and its place in the stream.

    Attributes:
        steps: optimiser steps per experience.
        batch_size: slices per step, new and replayed together unless a strategy adds the latter.
        learning_rate: peak of the one-cycle schedule (Smith & Topin 2018, arXiv 1708.07120);
            AdamW's β1 moves the other way, from 0.95 to 0.85 and back (torch's default).
        weight_decay: AdamW weight decay.
        warmup: share of the steps in which the rate rises.
        gradient_clip: largest norm of the gradient of loss and penalties together, 0 for none.
        autocast: forward pass in bfloat16.
        position: of the experience in the stream, from 1.
        steps_before: optimiser steps of the experiences before it.
    """

    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    warmup: float = 0.25
    gradient_clip: float = 0.0
    autocast: bool = False
    position: int = 1
    steps_before: int = 0


class NonFiniteLoss(InputError):
    """The loss became NaN or infinite."""


class DenseTraining(SupervisedTemplate):  # type: ignore[misc]
    """Trains on dense targets for a fixed number of optimiser steps per experience.

    The optimiser and its schedule start anew with each experience. Batches come from random
    permutations of the experience, padded to full batches, until the steps are done. Every pass
    over the experience seeds the global generators anew, so that training resumes from a
    checkpoint by drawing the batches before it again and then restoring its state.

    Args:
        model: (B, 1, H, W) → (B, C, H, W) logits.
        settings: steps, batch size, optimiser.
        generator: of the order of slices, and of the seeds of every pass.
        augment: draws the transform of a batch of images, or None.
        plugins: Avalanche plugins.
        device: where to train.

    Attributes:
        checkpoint: state the next experience is resumed from; empty to start at its first step.
        spatial_transform: the transform that augmented the current batch.
        coarser_logits: of the current batch, of a network with deep supervision; else none.
        runs_after_training_exp: False skips the ``after_training_exp`` of all plugins, which a
            stage of its own then runs.
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        settings: LoopSettings,
        generator: torch.Generator,
        augment: Augment | None = None,
        plugins: Sequence[Any] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        self.settings = settings
        self.generator = generator
        self.augment = augment
        self.step = 0
        self.checkpoint: State = {}
        self.coarser_logits: list[Tensor] = []
        self.runs_after_training_exp = True
        model.to(device)
        super().__init__(
            model=model,
            optimizer=AdamW(model.parameters(), lr=settings.learning_rate, fused=True),
            criterion=dice_cross_entropy,
            train_mb_size=settings.batch_size,
            device=device,
            plugins=plugins,
            evaluator=_no_evaluator(),
        )
        # Plugins read Avalanche's clock: it goes on from the experiences trained elsewhere.
        self.clock.train_exp_counter = settings.position - 1
        self.clock.train_iterations = self.clock.total_iterations = settings.steps_before

    _stop_training: bool

    def make_train_dataloader(self, **kwargs: Any) -> None:
        """One pass over the experience in random order, the last batch filled up."""
        dataset, size = self.adapted_dataset, self.settings.batch_size
        padded = math.ceil(len(dataset) / size) * size
        self.dataloader = DataLoader(
            dataset,
            batch_size=size,
            sampler=RandomSampler(dataset, num_samples=padded, generator=self.generator),
            collate_fn=getattr(dataset, "collate_fn", None) or default_collate,
        )

    def check_model_and_optimizer(self, **kwargs: Any) -> None:
        """Adapt the model to the experience and make a fresh optimiser with its schedule."""
        self.model = self.model_adaptation()
        chosen = self.settings
        self.optimizer = AdamW(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=chosen.learning_rate,
            weight_decay=chosen.weight_decay,
            fused=True,
        )
        # torch divides by zero where the rise lasts exactly one step; up to one step is no rise.
        rise = chosen.warmup if chosen.warmup * chosen.steps > 1 else 0.9 / chosen.steps
        self.lr_schedule = OneCycleLR(
            self.optimizer, chosen.learning_rate, chosen.steps, pct_start=min(chosen.warmup, rise)
        )

    def _train_exp(self, experience: Any, eval_streams: Any = None, **kwargs: Any) -> None:
        self.step = 0
        self.loss_was_finite = torch.tensor(True, device=self.device)
        while self.step < self.settings.steps and not self._stop_training:
            before = self.step
            seed_everything(int(torch.randint(2**62, (1,), generator=self.generator)))
            self._before_training_epoch(**kwargs)
            self.training_epoch(**kwargs)
            self._after_training_epoch(**kwargs)
            if self.step == before and not self._stop_training:
                raise InputError("the data loader gave no batch: a plugin made it empty")
        self._refuse_non_finite_loss(self.step)
        self._stop_training = False
        self.checkpoint = {}

    def training_epoch(self, **kwargs: Any) -> None:
        """One pass over the data loader, or what is left of the steps."""
        for batch in self.dataloader:
            self.mbatch = batch
            if self._stop_training or self.step == self.settings.steps:
                break
            if self.step < self.checkpoint.get("step", 0):
                self.step += 1
                self.clock.after_training_iteration(self)
                if self.step == self.checkpoint["step"]:
                    restore_loop(self, self.checkpoint)
                continue
            self._unpack_minibatch()
            if self.augment is not None:
                self.spatial_transform = self.augment(self.mbatch[0])
                self.mbatch[0] = self.spatial_transform.images(self.mbatch[0])
                self.mbatch[1] = self.spatial_transform.masks(self.mbatch[1])
            self._before_training_iteration(**kwargs)

            self.optimizer.zero_grad()
            self.loss = self._make_empty_loss()
            self._before_forward(**kwargs)
            self.mb_output = self.forward()
            self._after_forward(**kwargs)
            self.loss = self.loss + self.criterion()

            self._before_backward(**kwargs)
            # After the plugins, some of which replace the loss of the logits by their own.
            if self.coarser_logits:
                self.loss = self.loss + coarser_loss(self.coarser_logits, self.mb_y)
            self._note_finite_loss()
            self.backward()
            self._after_backward(**kwargs)

            if self.settings.gradient_clip:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.gradient_clip)
            self._before_update(**kwargs)
            self.optimizer_step()
            self.lr_schedule.step()
            self._after_update(**kwargs)

            self.step += 1
            self._after_training_iteration(**kwargs)

    def _after_training_exp(self, **kwargs: Any) -> None:
        if self.runs_after_training_exp:
            super()._after_training_exp(**kwargs)

    def forward(self) -> Tensor:
        """Logits of the current batch."""
        with self.autocast_context(), coarser_logits(self.model) as self.coarser_logits:
            logits: Tensor = super().forward()
        return logits

    def autocast_context(self) -> torch.autocast:
        """Context of a forward pass: bfloat16 where asked for."""
        on = self.settings.autocast
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=on)

    def _note_finite_loss(self) -> None:
        self.loss_was_finite &= torch.isfinite(self.loss).all()
        # On a GPU, every look at a value waits for all steps before it.
        if self.device.type == "cpu" or (self.step + 1) % GPU_LOSS_CHECK_STEPS == 0:
            self._refuse_non_finite_loss(self.step + 1)

    def _refuse_non_finite_loss(self, step: int) -> None:
        if not self.loss_was_finite:
            raise NonFiniteLoss(
                f"the loss was not finite by step {step} of experience "
                f"{self.experience.current_experience + 1} (now {self.loss.item()}): try a lower "
                f"learning_rate (now {self.settings.learning_rate:g}) or a smaller penalty"
            )


def _no_evaluator() -> EvaluationPlugin:
    # Scores are computed in cl_seg.evaluation; Avalanche warns of an evaluator without loggers.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return EvaluationPlugin()
