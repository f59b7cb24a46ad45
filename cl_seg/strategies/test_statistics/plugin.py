"""Batch norm with the statistics of a test case."""

from collections.abc import Iterable

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import Tensor, nn

from cl_seg.strategies.shared.adapted_scoring import AdaptedScoring
from cl_seg.strategies.shared.batch_norm import batch_norms
from cl_seg.strategies.shared.estimated_statistics import estimate_statistics
from cl_seg.strategies.test_statistics import TestStatisticsSettings


class TestStatistics(AdaptedScoring):
    """Statistics of the test case in batch norm (Schneider et al. 2020, arXiv 2006.16971).

    Args:
        prior: number of images that the trained statistics count as; 0 takes those of the case
            alone.
        seed: not used.

    Raises:
        InputError: naming a wrong argument.
    """

    def __init__(self, *, prior: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        self.settings = TestStatisticsSettings.of_keywords(prior=prior)

    def require_network(self, model: nn.Module) -> None:
        """Refuse a network without batch norm."""
        batch_norms(model)

    def prepare_scoring(self, model: nn.Module, experience: int, images: Iterable[Tensor]) -> None:
        """Estimate the statistics on the images of a case."""
        estimate_statistics(model, images, self.settings.prior)
