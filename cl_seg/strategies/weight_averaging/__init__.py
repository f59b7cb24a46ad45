"""Weight averaging: a mean of the weights before and after an experience (WiSE-FT), and EMA."""

from pydantic import Field

from cl_seg.strategies.strategy import Settings, Strategy


class WeightAveragingSettings(Settings):
    """The network after an experience lies between that before it and the one that was trained.

    ``θ = (1 − share) · θ_before + share · θ_after`` (WiSE-FT, Wortsman et al. 2022, arXiv
    2109.01903), from the second experience on. The running statistics of batch norm are
    averaged like the weights. ``share`` 0 never updates the network, 1 is plain fine-tuning.

    Attributes:
        share: part of the trained weights.
        ema: d of an exponential moving average during the training, begun at the weights before
            it: ``θ̄ ← d · θ̄ + (1 − d) · θ`` after every optimiser step (Polyak & Juditsky 1992 with
            the weights of Tarvainen & Valpola 2017, arXiv 1703.01780). θ_after is then θ̄ after the
            last step. None takes the weights after the last step themselves.
        recount_statistics: estimate the running statistics anew for the averaged weights, on the
            training slices of the experience without augmentation (Izmailov et al. 2018, arXiv
            1803.05407, do so on the training set), instead of averaging them.
    """

    share: float = Field(default=0.5, ge=0, le=1)
    ema: float | None = Field(default=None, gt=0, lt=1)
    recount_statistics: bool = False


STRATEGY = Strategy(
    title="Weight averaging",
    settings=WeightAveragingSettings,
    plugin="cl_seg.strategies.weight_averaging.plugin:WeightAveraging",
    state_saved="not_needed",
    contract_settings={"ema": 0.5},
)
