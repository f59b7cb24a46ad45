"""L2: quadratic penalty towards the weights after the experience before, all alike; a control."""

from pydantic import Field

from cl_seg.strategies.strategy import Settings, Strategy


class L2Settings(Settings):
    """Quadratic penalty towards the weights after the experience before, every weight alike.

    Attributes:
        l2_lambda: the training loss gains ``l2_lambda / 2 · Σ_k (θ_k − θ*_k)²``.
    """

    l2_lambda: float = Field(default=0.01, ge=0)


STRATEGY = Strategy(
    title="L2",
    settings=L2Settings,
    plugin="cl_seg.strategies.l2.plugin:L2",
    state_saved="not_needed",
)
