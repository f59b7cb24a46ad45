"""Dark experience replay: remembered slices are replayed with the logits they once had."""

from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor

from cl_seg.losses import IGNORED
from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.strategies.der import DERSettings
from cl_seg.strategies.shared.memory_settings import Selection
from cl_seg.strategies.shared.returning_scanner import scanner_position
from cl_seg.strategies.shared.slice_memory import SliceMemory

FORWARD_BATCH = 16  # images in one forward pass when logits are stored


class DER(SliceMemory):
    """DER++ (Buzzega et al. 2020, arXiv 2004.07211, eq. 6) on dense targets.

    A batch is drawn as for replay. With the logits z that a remembered slice had when its
    experience ended, the loss of the batch is::

        loss(new part) + α · mean (h(x) − z)² + β · loss(remembered part)

    Logits are stored in eval mode and half precision and are transformed as augmentation
    transforms their slice; pixels that come from outside it or are ignored take no part. One draw
    from memory serves both terms, as in Avalanche's DER; the paper draws twice, and stores logits
    while it trains.

    Args:
        budget: slices in memory over all experiences; 16 unless ``percent`` is given.
        percent: instead of a budget, per cent of every experience's slices.
        sampling: ``balanced`` (default) or ``random`` division of a budget.
        by: draws ``slice`` by slice, or each ``patient`` in turn.
        select: ``random`` slices, or the first by ``k-center``, ``typiclust`` or ``entropy``.
        batch_share: part of the slices of every step drawn from memory.
        batch: ``shared`` by new and old slices, or old ones ``added`` to a batch of new ones.
        alpha: weight of the squared distance to the stored logits.
        beta: weight of the training loss on the stored slices.
        seed: of the draws.

    Raises:
        InputError: naming a wrong argument.

    Attributes:
        logits: experience → (n, C, H, W) float16, in the order of ``memory``.
    """

    settings: DERSettings

    def __init__(  # noqa: PLR0913
        self,
        *,
        budget: int | None = None,
        percent: float | None = None,
        sampling: Literal["balanced", "random"] | None = None,
        by: Literal["slice", "patient"] = "slice",
        select: Selection = "random",
        batch_share: float = 0.5,
        batch: Literal["shared", "added"] = "shared",
        alpha: float = 0.1,
        beta: float = 1.0,
        seed: int = 0,
    ) -> None:
        settings = DERSettings.of_keywords(
            budget=budget,
            percent=percent,
            sampling=sampling,
            by=by,
            select=select,
            batch_share=batch_share,
            batch=batch,
            alpha=alpha,
            beta=beta,
        )
        super().__init__(settings, seed)
        self.logits: dict[int, Tensor] = {}

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Replace the loss of the batch by that of DER++."""
        if not self.memory_batch_size:
            return
        new = len(strategy.mb_y) - self.memory_batch_size
        output, target = strategy.mb_output, strategy.mb_y
        drawn = list(strategy.dataloader.old.drawn)
        stored = torch.cat([self.logits[k] for k in sorted(self.logits)])[drawn].float()
        inside = torch.ones_like(stored[:, :1])
        transform = getattr(strategy, "spatial_transform", None)
        if transform is not None:
            stored, inside = (transform.maps(part, first=new) for part in (stored, inside))
        shown = (inside >= 1) & (target[new:] != IGNORED).unsqueeze(1)
        strategy.loss = (
            strategy._criterion(output[:new], target[:new])
            + self.settings.alpha * squared_distance(output[new:], stored, shown)
            + self.settings.beta * strategy._criterion(output[new:], target[new:])
        )

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keep slices of the new experience with their logits."""
        super().after_training_exp(strategy)
        position = scanner_position(strategy.experience)
        dataset = strategy.experience.dataset.eval()
        device = next(strategy.model.parameters()).device
        kept = self.memory.get(position, [])
        parts = []
        with eval_mode(strategy.model), torch.no_grad():
            for start in range(0, len(kept), FORWARD_BATCH):
                images = [dataset[i][0] for i in kept[start : start + FORWARD_BATCH]]
                parts.append(strategy.model(torch.stack(images).to(device)).half())
        if parts:
            self.logits[position] = torch.cat(parts)
        self.logits = {k: self.logits[k][: len(indices)] for k, indices in self.memory.items()}

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain data from which :meth:`load_state_dict` restores the memory."""
        logits = {str(k): tensor.clone() for k, tensor in self.logits.items()}
        return {**super().state_dict(), "logits": logits}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the memory."""
        super().load_state_dict(state)
        self.logits = {int(k): tensor for k, tensor in state["logits"].items()}


def squared_distance(logits: Tensor, stored: Tensor, inside: Tensor) -> Tensor:
    """Mean squared difference over classes and the pixels that lie inside.

    Args:
        logits: (B, C, …).
        stored: (B, C, …).
        inside: (B, 1, …) bool.

    Returns:
        Scalar, 0 where no pixel lies inside.
    """
    squares = (logits.float() - stored).pow(2).mean(1, keepdim=True) * inside
    return squares.sum() / inside.sum().clamp(min=1)
