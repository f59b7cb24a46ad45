"""Distillation from the network that an experience starts from, the teacher."""

import copy
from contextlib import nullcontext
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn
from torch.nn import functional

from cl_seg.losses import IGNORED
from cl_seg.runtime.avalanche import SupervisedPlugin


class Distillation(SupervisedPlugin):  # type: ignore[misc]
    """Holds the teacher from the second experience on, while the experience is trained.

    The teacher is kept in eval mode, so that neither its dropout nor its batch norm is live, and
    sees the same augmented images. Nothing of it is kept on disk: a training that is resumed starts
    from the same network.

    Args:
        active: False where every weight is 0, so that no teacher is needed.

    Attributes:
        teacher: a copy of the network without gradients, None where there is nothing to distil.
    """

    def __init__(self, active: bool) -> None:
        super().__init__()
        self.active = active
        self.teacher: nn.Module | None = None

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Make a teacher of the model as it is, from the second experience on."""
        if self.active and strategy.clock.train_exp_counter > 0:
            self.teacher = copy.deepcopy(strategy.model).eval().requires_grad_(False)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Let the teacher go."""
        self.teacher = None


@torch.no_grad()
def taught_logits(teacher: nn.Module, strategy: Any) -> Tensor:
    """The teacher's logits of the current batch, (B, C, …), in the precision of the training."""
    with getattr(strategy, "autocast_context", nullcontext)():
        logits: Tensor = teacher(strategy.mb_x)
    return logits


def distillation(logits: Tensor, taught: Tensor, target: Tensor, temperature: float) -> Tensor:
    """T² · KL(teacher ‖ student) at temperature T, mean over the pixels that are not ignored.

    Hinton et al. 2015 (arXiv 1503.02531, section 2): T² keeps the size of the gradient.

    Args:
        logits: (B, C, …) of the student.
        taught: (B, C, …) of the teacher.
        target: (B, …) int64, 255 ignored.
        temperature: T.

    Returns:
        Scalar, 0 where every pixel is ignored.
    """
    student = functional.log_softmax(logits.float() / temperature, dim=1)
    teacher = functional.log_softmax(taught.float() / temperature, dim=1)
    per_pixel = (teacher.exp() * (teacher - student)).sum(1)
    known = target != IGNORED
    total: Tensor = (per_pixel * known).sum() * temperature**2
    return total / known.sum().clamp(min=1)
