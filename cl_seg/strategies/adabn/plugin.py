"""Adaptive batch normalisation to a scanner."""

from collections.abc import Iterable

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import Tensor, nn

from cl_seg.strategies.shared.adapted_scoring import AdaptedScoring
from cl_seg.strategies.shared.batch_norm import batch_norms
from cl_seg.strategies.shared.estimated_statistics import estimate_statistics


class AdaBN(AdaptedScoring):
    """AdaBN (Li et al. 2017, arXiv 1603.04779, algorithm 1) after plain fine-tuning.

    Before a scanner is scored, whether learned or not, mean and variance of every batch norm become
    those of its input over all unlabelled images of the scanner that are scored. Weights and biases
    stay as they were trained.

    Args:
        seed: not used.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network without batch norm."""
        batch_norms(model)

    def prepare_scoring(self, model: nn.Module, experience: int, images: Iterable[Tensor]) -> None:
        """Estimate the statistics on the images of a scanner."""
        estimate_statistics(model, images)
