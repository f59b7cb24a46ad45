"""Learning without forgetting, per pixel."""

import copy
from contextlib import nullcontext
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor, nn
from torch.nn import functional

from cl_seg.losses import IGNORED
from cl_seg.strategies.lwf import LwFSettings


class LwF(SupervisedPlugin):  # type: ignore[misc]
    """LwF (Li & Hoiem 2016, arXiv 1606.09282), for every pixel of a mask.

    From the second experience on the loss gains ``α ·`` :func:`distillation` towards the model the
    experience starts from, which is kept in eval mode, so that neither its dropout nor its batch
    norm is live, and sees the same augmented images. The teacher is that starting model, so nothing
    is kept on disk.

    Args:
        alpha: weight of the distillation.
        temperature: T of the softmax of teacher and student.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(self, *, alpha: float = 1.0, temperature: float = 2.0, seed: int = 0) -> None:
        super().__init__()
        self.settings = LwFSettings.of_keywords(alpha=alpha, temperature=temperature)
        self.teacher: nn.Module | None = None

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Make a teacher of the model as it is, from the second experience on."""
        if strategy.clock.train_exp_counter > 0:
            self.teacher = copy.deepcopy(strategy.model).eval().requires_grad_(False)

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Add the distillation to the loss."""
        if self.teacher is None or not self.settings.alpha:
            return
        autocast = getattr(strategy, "autocast_context", nullcontext)
        with torch.no_grad(), autocast():
            taught = self.teacher(strategy.mb_x)
        loss = distillation(strategy.mb_output, taught, strategy.mb_y, self.settings.temperature)
        strategy.loss += self.settings.alpha * loss

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Let the teacher go."""
        self.teacher = None


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
