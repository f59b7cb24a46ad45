"""TENT: each case is scored after minimising the entropy of what is predicted for it."""

from pydantic import Field, PositiveFloat

from cl_seg.strategies.strategy import Settings, Strategy


class TentSettings(Settings):
    """Test-time entropy minimisation (Wang et al. 2021, arXiv 2006.10726), case by case.

    Weights and biases of the normalisation layers (γ and β) minimise the mean over pixels and
    images of a case of ``H = − Σ_c p_c log p_c``, p being the softmax, by Adam. Each case starts
    from the network as it was trained.

    Attributes:
        steps: optimiser steps, each on all images of the case.
        learning_rate: of Adam; 0.001 in the paper.
    """

    steps: int = Field(default=1, ge=1)
    learning_rate: PositiveFloat = 0.001


STRATEGY = Strategy(
    title="TENT",
    settings=TentSettings,
    plugin="cl_seg.strategies.tent.plugin:Tent",
    first_active_experience=None,
    state_saved="not_needed",
    scoring="per_case",
)
