"""Training on the union of all scanners seen so far."""

from pydantic import Field

from cl_seg.strategies.strategy import Settings, Strategy


class CumulativeSettings(Settings):
    """Training on the union of all scanners seen so far, at each new scanner.

    Attributes:
        steps_factor: optimiser steps of every experience as a multiple of the suite's; None means
            the number of scanners seen.
        restart: True trains every experience from scratch, which gives the joint references that
            intransigence is measured against; False goes on from the network before.
    """

    steps_factor: float | None = Field(default=None, gt=0)
    restart: bool = False


STRATEGY = Strategy("Cumulative", CumulativeSettings, training_regime="cumulative")
