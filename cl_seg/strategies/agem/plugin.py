"""Averaged gradient episodic memory: no step against the gradient of what is remembered."""

from contextlib import nullcontext
from typing import Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor

from cl_seg.strategies.agem import AGEMSettings
from cl_seg.strategies.shared.batch_norm import kept_statistics
from cl_seg.strategies.shared.memory_settings import Selection
from cl_seg.strategies.shared.quadratic_penalty import trained_parameters
from cl_seg.strategies.shared.slice_memory import SliceMemory


class AGEM(SliceMemory):
    """A-GEM (Chaudhry et al. 2019, arXiv 1812.00420, eq. 11).

    A batch is drawn as for replay, but only its new part is trained on. The remembered part gives a
    reference gradient r; where the gradient g of the new part points against it, that is where
    g·r < 0, it is projected::

        g ← g − (g·r / r·r) r

    The step that follows may point against r all the same, by momentum or AdamW's scaling. The
    reference batch is normalised by its own statistics but leaves the running ones of batch norm
    alone, which would be a rehearsal of its own.

    Args:
        budget: slices in memory over all experiences; 16 unless ``percent`` is given.
        percent: instead of a budget, per cent of every experience's slices.
        sampling: ``balanced`` (default) or ``random`` division of a budget.
        by: draws ``slice`` by slice, or each ``patient`` in turn.
        select: ``random`` slices, or the first by ``k-center``, ``typiclust`` or ``entropy``.
        batch_share: part of the slices of every step drawn from memory.
        batch: ``shared`` by new and old slices, or old ones ``added`` to a batch of new ones.
        reference_batch: slices of the reference batch instead of ``batch_share``.
        seed: of the draws.

    Raises:
        InputError: naming a wrong argument.
    """

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
        reference_batch: int | None = None,
        seed: int = 0,
    ) -> None:
        settings = AGEMSettings.of_keywords(
            budget=budget,
            percent=percent,
            sampling=sampling,
            by=by,
            select=select,
            batch_share=batch_share,
            batch=batch,
            reference_batch=reference_batch,
        )
        super().__init__(settings, seed)

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Take the remembered part out of the batch and compute its gradient."""
        self._reference: list[Tensor | None] = []
        if not self.memory_batch_size:
            return
        batch = strategy.mbatch
        new = len(batch[0]) - self.memory_batch_size
        strategy.mbatch = [part[:new] for part in batch]
        images, target = batch[0][new:], batch[1][new:]
        autocast = getattr(strategy, "autocast_context", nullcontext)
        with autocast(), kept_statistics(strategy.model):
            output = strategy.model(images)
        loss = strategy._criterion(output, target)
        parameters = list(trained_parameters(strategy.model).values())
        self._reference = list(torch.autograd.grad(loss, parameters, allow_unused=True))

    @torch.no_grad()
    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Project the gradient."""
        parameters = trained_parameters(strategy.model).values()
        pairs = [
            (p.grad, r)
            for p, r in zip(parameters, self._reference, strict=False)
            if p.grad is not None and r is not None
        ]
        if not pairs:
            return
        gradients, references = [g for g, _ in pairs], [r for _, r in pairs]
        along = _dot(gradients, references)
        if along < 0:
            square = _dot(references, references)
            torch._foreach_add_(gradients, references, alpha=-float(along / square))


def _dot(a: list[Tensor], b: list[Tensor]) -> Tensor:
    return torch.stack(
        [torch.dot(x.flatten(), y.flatten()) for x, y in zip(a, b, strict=True)]
    ).sum()
