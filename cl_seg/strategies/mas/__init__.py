"""MAS: quadratic penalty weighted by the sensitivity of the logits."""

from typing import Literal

from pydantic import Field, PositiveInt

from cl_seg.strategies.strategy import Settings, Strategy


class MASSettings(Settings):
    """Memory aware synapses (Aljundi et al. 2018, arXiv 1711.09601, eqs. 2 and 4).

    Attributes:
        mas_lambda: λ; the training loss gains ``mas_lambda / 2 · Σ_k Ω_k (θ_k − θ*_k)²``.
        images: images the importance is estimated on, drawn at random; None means all.
        importance: ``mean`` divides the importance of every experience by its mean over all
            parameters, so that λ is the average stiffness on every network; ``raw`` takes it as it
            is.
        keep: share of the older importance in the running mean, as in Avalanche; None adds up
            the importance of all scanners, as in the paper.
    """

    mas_lambda: float = Field(default=1.0, ge=0)
    images: PositiveInt | None = None
    importance: Literal["raw", "mean"] = "raw"
    keep: float | None = Field(default=None, ge=0, lt=1)


STRATEGY = Strategy(
    title="MAS",
    settings=MASSettings,
    plugin="cl_seg.strategies.mas.plugin:MAS",
    settings_unused_by_consolidation=frozenset({"mas_lambda"}),
)
