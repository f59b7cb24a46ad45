"""RWalk: quadratic penalty weighted by running Fisher information and a path score."""

from pydantic import Field, PositiveFloat, PositiveInt

from cl_seg.strategies.strategy import Settings, Strategy


class RWalkSettings(Settings):
    """Riemannian walk (Chaudhry et al. 2018, arXiv 1801.10112, eqs. 6 to 8).

    Attributes:
        rwalk_lambda: the training loss gains ``rwalk_lambda / 2 · Σ_k (F_k + s_k) (θ_k − θ*_k)²``
            with both terms scaled to at most 1.
        fisher_share: α of eq. 6, weight of the latest batch in the running Fisher information.
        every: Δt, steps between two updates of the score s.
        damping: ε of eq. 7; the precision of float32, as in Avalanche.
    """

    rwalk_lambda: float = Field(default=1.0, ge=0)
    fisher_share: float = Field(default=0.9, gt=0, le=1)
    every: PositiveInt = 10
    damping: PositiveFloat = 2.0**-23


STRATEGY = Strategy(
    title="RWalk",
    settings=RWalkSettings,
    plugin="cl_seg.strategies.rwalk.plugin:RWalk",
    first_active_experience=1,
    settings_unused_in_first_experience=frozenset({"rwalk_lambda"}),
    state_saved="during_training",
    contract_settings={"every": 2},
)
