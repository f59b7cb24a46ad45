"""DER++: stored slices are replayed with the logits they once had."""

from pydantic import Field

from cl_seg.strategies.shared.memory_settings import MemorySettings
from cl_seg.strategies.strategy import Strategy


class DERSettings(MemorySettings):
    """Dark experience replay, DER++ (Buzzega et al. 2020, arXiv 2004.07211, eq. 6).

    Attributes:
        alpha: weight of the squared distance to the stored logits.
        beta: weight of the training loss on the stored slices.
    """

    alpha: float = Field(default=0.1, ge=0)
    beta: float = Field(default=1.0, ge=0)


STRATEGY = Strategy(
    title="DER++",
    settings=DERSettings,
    plugin="cl_seg.strategies.der.plugin:DER",
    settings_unused_by_consolidation=frozenset({"batch_share", "batch", "alpha", "beta"}),
    contract_baseline={"alpha": 0.0},
)
