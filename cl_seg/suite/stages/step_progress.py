"""Notes of a training's progress, for whoever watches it."""

import time
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip

from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.suite.progress import write_progress
from cl_seg.training.validation_curve import ValidationCurve


class StepProgress(SupervisedPlugin):  # type: ignore[misc]
    """Notes the optimiser steps done and the latest validation Dice where the stage is worked on.

    Args:
        folder: where the stage is worked on.
        curve: scored before this plugin is called.
        offset: steps of the stage done before this experience.
        steps: of the whole stage.
    """

    def __init__(self, folder: Path, curve: ValidationCurve, offset: int, steps: int) -> None:
        super().__init__()
        self.folder, self.curve = folder, curve
        self.offset, self.steps = offset, steps
        self.began, self.done, self.last = time.monotonic(), 0, 0.0

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Note about once a second."""
        self.done += 1
        now = time.monotonic()
        if now - self.last > 1:
            pace = (now - self.began) / self.done
            step = self.offset + strategy.step
            write_progress(self.folder, step, self.steps, pace, self.curve.rows)
            self.last = now
