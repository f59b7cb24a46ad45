"""EWC: quadratic penalty weighted by Fisher information."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from cl_seg.strategies.strategy import Settings, Strategy


class EWCSettings(Settings):
    """Elastic weight consolidation (Kirkpatrick et al. 2017, eq. 3).

    The training loss gains ``ewc_lambda / 2 · Σ_k F_k (θ_k − θ*_k)²``.

    Attributes:
        ewc_lambda: λ of the equation above.
        fisher: how the diagonal Fisher information is estimated (names as in van de Ven 2025,
            arXiv 2502.11756): ``sampled`` draws every pixel's label from the softmax, ``empirical``
            takes the true labels, both square per-image gradients; ``batch`` squares the gradient
            of a mini-batch mean, as Avalanche does.
        fisher_images: images the Fisher is estimated on, drawn at random; None means all.
        importance: ``mean`` divides the Fisher of every experience by its mean over all parameters,
            so that λ is the average stiffness on every network; ``raw`` takes it as it is.
        mode: ``summed`` adds one quadratic per scanner, ``online`` decays the older ones.
        decay: γ of the online mode (Schwarz et al. 2018, eq. 9), which needs it.
    """

    ewc_lambda: float = Field(default=0.01, ge=0)
    fisher: Literal["sampled", "empirical", "batch"] = "sampled"
    fisher_images: PositiveInt | None = None
    importance: Literal["raw", "mean"] = "raw"
    mode: Literal["summed", "online"] = "summed"
    decay: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _nothing_without_effect(self) -> "EWCSettings":
        if (self.mode == "online") != (self.decay is not None):
            raise PydanticCustomError("decay", "`decay` and `mode: online` go together")
        if self.fisher == "batch" and self.fisher_images is not None:
            raise PydanticCustomError("images", "`fisher_images` has no effect on `fisher: batch`")
        return self


STRATEGY = Strategy(
    title="EWC",
    settings=EWCSettings,
    plugin="cl_seg.strategies.ewc.plugin:EWC",
    settings_unused_by_consolidation=frozenset({"ewc_lambda"}),
)
