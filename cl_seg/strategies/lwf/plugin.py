"""Learning without forgetting, per pixel."""

from typing import Any

from cl_seg.strategies.lwf import LwFSettings
from cl_seg.strategies.shared.distillation import Distillation, distillation, taught_logits


class LwF(Distillation):
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
        self.settings = LwFSettings.of_keywords(alpha=alpha, temperature=temperature)
        super().__init__(active=self.settings.alpha > 0)

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Add the distillation to the loss."""
        if self.teacher is None:
            return
        taught = taught_logits(self.teacher, strategy)
        loss = distillation(strategy.mb_output, taught, strategy.mb_y, self.settings.temperature)
        strategy.loss += self.settings.alpha * loss
