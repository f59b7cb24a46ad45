"""Norm per scanner: every scanner has normalisation layers of its own over shared filters."""

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from cl_seg.strategies.strategy import Settings, Strategy


class NormPerScannerSettings(Settings):
    """Normalisation layers of every scanner's own over shared filters (Karani et al. 2018).

    On scanner s a normalisation layer computes ``γ_s · (x − μ) / σ + β_s``, where batch norm takes
    μ_s and σ_s, the running statistics of s, in a test (arXiv 1805.10170, section 2). All other
    parameters are shared. A new scanner starts from the normalisation of the scanner before.

    Attributes:
        filters: what the shared parameters do after the first scanner: ``frozen`` as it left them,
            which forgets nothing; held by ``ewc``, or ``free``, trained with the others.
        ewc_lambda: λ of EWC's penalty on the shared parameters,
            ``ewc_lambda / 2 · Σ_i Σ_k F_ik (θ_k − θ*_ik)²`` over the earlier scanners i; ``filters:
            ewc`` needs it.
        route: whose normalisation a case is scored with: that of its ``known`` scanner, or of the
            latest one where that has not been learned; or that of the ``nearest`` scanner, by
            mean and standard deviation of each channel of the first convolution over the
            unlabelled case and over the scanner's training images (2-Wasserstein distance).
    """

    filters: Literal["frozen", "ewc", "free"] = "frozen"
    ewc_lambda: float | None = Field(default=None, ge=0)
    route: Literal["known", "nearest"] = "known"

    @model_validator(mode="after")
    def _penalty_where_it_acts(self) -> "NormPerScannerSettings":
        if (self.filters == "ewc") != (self.ewc_lambda is not None):
            raise PydanticCustomError("penalty", "`ewc_lambda` and `filters: ewc` go together")
        return self


STRATEGY = Strategy(
    title="Norm per scanner",
    settings=NormPerScannerSettings,
    plugin="cl_seg.strategies.norm_per_scanner.plugin:NormPerScanner",
    settings_unused_by_consolidation=frozenset({"ewc_lambda"}),
    scoring="per_case",
)
