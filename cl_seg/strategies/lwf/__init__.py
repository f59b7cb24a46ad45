"""LwF: distillation from the network before, per pixel."""

from pydantic import Field, PositiveFloat

from cl_seg.strategies.strategy import Settings, Strategy


class LwFSettings(Settings):
    """Learning without forgetting, per pixel (Li & Hoiem 2016, arXiv 1606.09282).

    Attributes:
        alpha: weight of the distillation.
        temperature: T of the softmax of teacher and student (Hinton et al. 2015, arXiv 1503.02531).
    """

    alpha: float = Field(default=1.0, ge=0)
    temperature: PositiveFloat = 2.0


STRATEGY = Strategy(
    title="LwF",
    settings=LwFSettings,
    plugin="cl_seg.strategies.lwf.plugin:LwF",
    state_saved="not_needed",
)
