"""SI: quadratic penalty weighted by each parameter's path integral of the loss."""

from typing import Literal

from pydantic import Field, PositiveFloat

from cl_seg.strategies.strategy import Settings, Strategy


class SISettings(Settings):
    """Synaptic intelligence (Zenke et al. 2017, arXiv 1703.04200, eqs. 4 and 5).

    Attributes:
        si_lambda: the training loss gains ``si_lambda / 2 · Σ_k Ω_k (θ_k − θ*_k)²``.
        damping: ξ of eq. 5, which bounds the importance of parameters that hardly moved.
        importance: ``mean`` divides the importance of every experience by its mean over all
            parameters, so that λ is the average stiffness on every network; ``raw`` takes it as it
            is.
    """

    si_lambda: float = Field(default=1.0, ge=0)
    damping: PositiveFloat = 0.001
    importance: Literal["raw", "mean"] = "raw"


STRATEGY = Strategy(
    title="SI",
    settings=SISettings,
    plugin="cl_seg.strategies.si.plugin:SI",
    first_active_experience=1,
    settings_unused_in_first_experience=frozenset({"si_lambda"}),
    state_saved="during_training",
)
