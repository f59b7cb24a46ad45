"""Joint training on the union of all scanners, the usual upper bound."""

from pydantic import Field

from cl_seg.strategies.strategy import Settings, Strategy


class JointSettings(Settings):
    """Joint training on the union of all scanners, the usual upper bound.

    Attributes:
        steps_factor: optimiser steps as a multiple of the suite's; None means the number of
            scanners, so that joint training costs as much as the whole stream.
    """

    steps_factor: float | None = Field(default=None, gt=0)


STRATEGY = Strategy("Joint", JointSettings, training_regime="joint")
