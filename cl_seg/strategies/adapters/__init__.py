"""Adapters: every scanner has a low-rank change of the first scanner's weights."""

from typing import Literal

from pydantic import PositiveInt

from cl_seg.strategies.strategy import Settings, Strategy


class AdaptersSettings(Settings):
    """Adapters of every scanner's own beside weights that the first scanner has trained.

    The weight of every convolution and linear layer is ``W_s = W + B_s A_s`` on scanner s: a
    residual adapter (Rebuffi et al. 2017, arXiv 1705.08045) of low rank (Hu et al. 2021, arXiv
    2106.09685) that folds into the weight. W stays as the first scanner left it, B_s starts at
    zero. Normalisation layers are each scanner's own too, as in Rebuffi et al.; all else is frozen.

    Attributes:
        rank: rank of ``B_s A_s``, the weight being a matrix of a row per output channel; at most
            that of the matrix.
        route: whose parameters a case is scored with: those of its ``known`` scanner, or of the
            latest one where that has not been learned; or those of the ``nearest`` scanner, by
            mean and standard deviation of each channel of the first convolution over the
            unlabelled case and over the scanner's training images (2-Wasserstein distance).
    """

    rank: PositiveInt = 4
    route: Literal["known", "nearest"] = "known"


STRATEGY = Strategy(
    title="Adapters",
    settings=AdaptersSettings,
    plugin="cl_seg.strategies.adapters.plugin:Adapters",
    first_active_experience=1,
    settings_unused_in_first_experience=frozenset({"rank"}),
    state_saved="during_training",
    scoring="per_case",
)
