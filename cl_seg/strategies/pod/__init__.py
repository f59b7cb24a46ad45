"""POD: distillation of pooled feature maps of the network before."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from cl_seg.strategies.strategy import Settings, Strategy


class PODSettings(Settings):
    """Pooled outputs distillation, local as in PLOP.

    Douillard et al. 2020 (arXiv 2004.13513) and 2021 (arXiv 2011.11390, Local POD).

    Attributes:
        factor: weight of the distance between the pooled feature maps of teacher and student.
        scales: a scale of s pools within s × s regions of a feature map: ``[1, 2, 4]`` is PLOP's
            local POD at 1, 1/2 and 1/4, ``[1]`` the POD of the first paper.
        pool: ``spatial`` pools a region over its width and over its height, ``global`` over both.
        layers: names of the modules whose outputs are compared; empty for the last feature map of
            every level of encoder and decoder, before its resolution changes.
        alpha: weight of LwF's distillation of the logits beside it.
        temperature: T of that distillation.
    """

    factor: float = Field(default=1.0, ge=0)
    scales: tuple[PositiveInt, ...] = (1, 2, 4)
    pool: Literal["spatial", "global"] = "spatial"
    layers: tuple[str, ...] = ()
    alpha: float = Field(default=0.0, ge=0)
    temperature: PositiveFloat = 2.0

    @model_validator(mode="after")
    def _scales_fit_every_level(self) -> "PODSettings":
        if 1 not in self.scales:
            raise PydanticCustomError("scales", "`scales` needs 1, which alone fits every level")
        return self


STRATEGY = Strategy(
    title="POD",
    settings=PODSettings,
    plugin="cl_seg.strategies.pod.plugin:POD",
    state_saved="not_needed",
)
