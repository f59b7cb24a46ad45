"""The validation curve of a training: pixel counts, from which the report makes scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.evaluation.pixel_counts import pixel_counts
from cl_seg.evaluation.predict import predict
from cl_seg.runtime.avalanche import SupervisedPlugin


class ValidationCurve(SupervisedPlugin):  # type: ignore[misc]
    """Pixel counts on the validation slices of some scanners, every few optimiser steps.

    Counts, not scores, so that a change of a metric asks for no training. The last point is of the
    network that the training ends with, whatever a plugin makes of it after the last step.

    Args:
        slices: scanner → its validation slices.
        classes: names of labels 1, 2, ….
        every: steps between two points; the end of a training is always one. 0 for no point.
    """

    def __init__(
        self, slices: Mapping[str, SliceDataset], classes: Sequence[str], every: int
    ) -> None:
        super().__init__()
        self.slices, self.classes, self.every = slices, classes, every
        self.rows: list[dict[str, Any]] = []

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Count the pixels every so many steps before the last one."""
        step = strategy.step
        if self.every and step % self.every == 0 and step != strategy.settings.steps:
            self._add_point(strategy)

    def after_training(self, strategy: Any, **kwargs: Any) -> None:
        """Count the pixels at the end, also of a training that was stopped before its last step."""
        if self.every:
            self._add_point(strategy)

    def _add_point(self, strategy: Any) -> None:
        for scanner, slices in self.slices.items():
            prediction, truth = predict(strategy.model, slices)
            for label, name in enumerate(self.classes, start=1):
                counts = pixel_counts(prediction, truth, label)
                row = {"step": strategy.step, "scanner": scanner, "class": name}
                self.rows.append({**row, **counts})

    def state_dict(self) -> dict[str, Any]:
        """The points so far, as plain data."""
        return {"rows": list(self.rows)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from earlier points."""
        self.rows = list(state["rows"])
