"""When a stage stops and saves its progress."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class StopControl:
    """When a stage stops and saves its progress, which has no influence on its result.

    Attributes:
        stop: True when it is to stop after the current step.
        checkpoint_seconds: between two checkpoints.
    """

    stop: Callable[[], bool]
    checkpoint_seconds: float = 30.0
