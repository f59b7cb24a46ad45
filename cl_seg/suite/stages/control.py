"""How the work on a stage is stopped and saved."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Control:
    """How the work on a stage is stopped and saved, without an influence on its result.

    Attributes:
        stop: True when it shall stop after the current step.
        checkpoint_seconds: between two checkpoints.
    """

    stop: Callable[[], bool]
    checkpoint_seconds: float = 30.0
