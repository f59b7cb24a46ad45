"""Test statistics: each case is scored with batch-norm statistics of its own images."""

from pydantic import Field

from cl_seg.strategies.strategy import Settings, Strategy


class TestStatisticsSettings(Settings):
    """Batch norm normalises each test case by statistics of its own unlabelled images.

    Mean and variance are ``(N · trained + n · case) / (N + n)`` (Schneider et al. 2020, arXiv
    2006.16971), n being the number of images of the case.

    Attributes:
        prior: N, the number of images that the trained statistics count as; 0 takes those of the
            case alone.
    """

    prior: float = Field(default=0.0, ge=0)


STRATEGY = Strategy(
    title="Test-case BN statistics",
    settings=TestStatisticsSettings,
    plugin="cl_seg.strategies.test_statistics.plugin:TestStatistics",
    first_active_experience=None,
    state_saved="not_needed",
    scoring="per_case",
)
