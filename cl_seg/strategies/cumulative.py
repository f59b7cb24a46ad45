"""Training on the union of all scanners seen so far."""

from pydantic import Field

from cl_seg.strategies.strategy import Settings, Strategy


class CumulativeSettings(Settings):
    """Training on the union of all scanners seen so far, stage by stage.

    Attributes:
        steps_factor: optimiser steps of every stage as a multiple of one stage; None means the
            number of scanners seen.
        restart: True trains every stage from scratch, which gives the joint references that
            intransigence is measured against; False goes on from the stage before.
    """

    steps_factor: float | None = Field(default=None, gt=0)
    restart: bool = False


STRATEGY = Strategy("Cumulative", CumulativeSettings, training_regime="cumulative")
