"""A mean of the weights before and after an experience."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import Tensor, nn

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.strategies.shared.batch_norm import batch_norms
from cl_seg.strategies.shared.estimated_statistics import UnaugmentedImages, estimate_statistics
from cl_seg.strategies.weight_averaging import WeightAveragingSettings


class WeightAveraging(SupervisedPlugin):  # type: ignore[misc]
    """WiSE-FT (Wortsman et al. 2022, arXiv 2109.01903) after every experience but the first.

    The network becomes (1 − share) · θ_before + share · θ_after when the experience ends: it is the
    one that is kept, scored and trained on. Buffers are averaged too, counts of batches rounded.

    Args:
        share: part of the trained weights.
        ema: decay of an exponential moving average during the training, which is θ_after then;
            None takes the weights after the last step.
        recount_statistics: estimate the running statistics of batch norm anew for the averaged
            weights, on the training slices of the experience without augmentation.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(
        self,
        *,
        share: float = 0.5,
        ema: float | None = None,
        recount_statistics: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.settings = WeightAveragingSettings.of_keywords(
            share=share, ema=ema, recount_statistics=recount_statistics
        )
        self._before: dict[str, Tensor] = {}
        self._moving: dict[str, Tensor] = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the weights that the experience starts from, from the second one on.

        Raises:
            InputError: statistics are to be recounted of a network without batch norm.
        """
        if self.settings.recount_statistics:
            batch_norms(strategy.model)
        if strategy.clock.train_exp_counter > 0:
            self._before = _copied(strategy.model)
            self._moving = _copied(strategy.model) if self.settings.ema is not None else {}

    @torch.no_grad()
    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        """Move the moving average towards the weights."""
        if self._moving:
            _move(self._moving, strategy.model.state_dict(), 1 - (self.settings.ema or 0))

    @torch.no_grad()
    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Put the average in place of the weights."""
        if not self._before:
            return
        weights = strategy.model.state_dict()
        mean, after = self._before, self._moving or weights
        _move(mean, after, self.settings.share)
        for name, tensor in weights.items():
            tensor.copy_(mean[name])
        self._before, self._moving = {}, {}
        if self.settings.recount_statistics:
            images = UnaugmentedImages(strategy.experience.dataset, strategy.device)
            estimate_statistics(strategy.model, images)

    def state_dict(self) -> dict[str, Any]:
        """The moving average within a training; the weights before it are those it starts from."""
        return {"moving": dict(self._moving)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a moving average."""
        self._moving = dict(state["moving"])


def _copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _move(here: dict[str, Tensor], towards: dict[str, Tensor], share: float) -> None:
    """here ← (1 − share) · here + share · towards, exact for 0 and 1; counts are rounded."""
    for name, tensor in here.items():
        if tensor.is_floating_point():
            tensor.lerp_(towards[name], share)
        else:
            tensor.copy_(torch.lerp(tensor.double(), towards[name].double(), share).round())
