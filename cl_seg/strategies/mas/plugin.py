"""Memory aware synapses: importance from how much the output reacts to a parameter."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.mas import MASSettings
from cl_seg.strategies.shared.fisher import draw_images, mean_over_images
from cl_seg.strategies.shared.importance import Scale, scaled
from cl_seg.strategies.shared.quadratic_penalty import (
    Parameters,
    add_penalty,
    snapshot,
    trained_parameters,
)


class MAS(SupervisedPlugin):  # type: ignore[misc]
    """MAS (Aljundi et al. 2018, arXiv 1711.09601, eqs. 2 to 4).

    Ω_k is the mean over images of |∂ ‖f(x)‖² / ∂θ_k|, where the squared norm of the logits is
    taken over the classes of a pixel and averaged over pixels; it needs no labels. Images are seen
    in eval mode, unaugmented, one at a time. From the second experience on the loss gains
    λ/2 · Σ_k Ω_k (θ_k − θ*_k)² around the latest parameters. Avalanche's MASPlugin omits the factor
    1/2 and takes the gradient of a batch's mean.

    Args:
        mas_lambda: λ of the equation above.
        images: images the importance is estimated on, drawn at random; None for all.
        importance: ``raw``, or ``mean`` to divide that of each experience by its mean, see
            :func:`cl_seg.strategies.shared.importance.scaled`.
        keep: share of the older importance in a running mean; None adds up all.
        seed: of the images the importance is estimated on.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(
        self,
        *,
        mas_lambda: float = 1.0,
        images: int | None = None,
        importance: Scale = "raw",
        keep: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.settings = MASSettings.of_keywords(
            mas_lambda=mas_lambda, images=images, importance=importance, keep=keep
        )
        self.seed = seed
        self.importance: Parameters = {}
        self.centre: Parameters = {}
        self.trained: dict[str, nn.Parameter] = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Find the trained parameters, once for all steps."""
        self.trained = trained_parameters(strategy.model)

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Add the gradient of the penalty."""
        add_penalty(self.trained, self.centre, self.settings.mas_lambda, self.importance)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Estimate the importance on the experience just learned."""
        dataset = strategy.experience.dataset.eval()
        entropy = (self.seed, strategy.experience.current_experience)
        images, _ = draw_images(len(dataset), self.settings.images, entropy)
        new = mean_over_images(
            strategy.model,
            dataset,
            images,
            lambda logits, _: squared_norm(logits),
            lambda total, g: total.add_(g.abs()),
        )
        new = scaled(new, self.settings.importance)
        kept, share = self.importance, self.settings.keep
        for name, value in new.items():
            if name not in kept:
                kept[name] = value
            elif share is None:
                kept[name] = kept[name] + value
            else:
                kept[name] = share * kept[name] + (1 - share) * value
        self.centre = snapshot(strategy.model)

    def state_dict(self) -> dict[str, Any]:
        """Tensors from which :meth:`load_state_dict` restores the penalty."""
        return {"importance": dict(self.importance), "centre": dict(self.centre)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the penalty."""
        self.importance, self.centre = dict(state["importance"]), dict(state["centre"])


def squared_norm(logits: torch.Tensor) -> torch.Tensor:
    """Mean over images and pixels of the squared Euclidean norm over classes, (B, C, …) → ()."""
    return logits.float().pow(2).sum(1).mean()
