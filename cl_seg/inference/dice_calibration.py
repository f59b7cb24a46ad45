"""Dice of a model without labels, estimated from its agreement: ``calibration.json`` of a folder.

Agreement is how stable a prediction is under test-time augmentation
(:func:`cl_seg.inference.stability.stability`), averaged over the slices of a series.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cl_seg.files.json_file import parse_as, read_json, to_json
from cl_seg.files.write import write_json
from cl_seg.messages.errors import InputError
from cl_seg.metrics.conformal import ConformalLine, fit_line

CALIBRATION = "calibration.json"
AUGMENTATIONS = 4  # per slice, as many as `cl-seg predict` makes
LEVEL = 0.9  # of the intervals


@dataclass(frozen=True)
class DiceCalibration:
    """Lines from agreement to Dice, fitted on labelled series.

    Attributes:
        weights_sha256: of the model.
        lines: class → line.
        series, patients: how many it was fitted on.
        scanners: display names of these.
        augmentations: test-time augmentations per slice; estimates need as many.
        level: of the intervals.
    """

    weights_sha256: str
    lines: dict[str, ConformalLine]
    series: int
    patients: int
    scanners: list[str]
    augmentations: int = AUGMENTATIONS
    level: float = LEVEL

    def estimate(self, agreement: Mapping[str, float]) -> dict[str, float]:
        """``dice_<class>`` with ``_low`` and ``_high`` of every class whose agreement is known."""
        found: dict[str, float] = {}
        for name, line in self.lines.items():
            if not math.isnan(agreement.get(name, math.nan)):
                of_class = (f"dice_{name}{end}" for end in ("", "_low", "_high"))
                found |= dict(zip(of_class, line.interval(agreement[name]), strict=True))
        return found

    def save(self, folder: Path) -> None:
        """Write the file into the folder of the model, in place of an older one."""
        write_json(folder / CALIBRATION, to_json(self))


def read_calibration(folder: Path, weights_sha256: str) -> DiceCalibration | None:
    """Calibration of a model folder; None where there is none.

    Raises:
        InputError: it is damaged, or of other weights.
    """
    path = folder / CALIBRATION
    if not path.is_file():
        return None
    try:
        found = parse_as(read_json(path), DiceCalibration)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}): calibrate the model again") from error
    if found.weights_sha256 != weights_sha256:
        raise InputError(f"{path} is of other weights than {folder}: calibrate the model again")
    return found


def fit_dice(table: pd.DataFrame, weights_sha256: str, scanners: list[str]) -> DiceCalibration:
    """Fit a line per class, on every second patient, and its margin on the others.

    Args:
        table: a row per series and class: class, patient, agreement, dice; rows without Dice,
            whose truth lacks the class, are left out.
        weights_sha256: of the model.
        scanners: display names.

    Raises:
        InputError: fewer than two patients have labels of a class.
    """
    known, lines = table.dropna(subset=["agreement", "dice"]), {}
    for name in pd.unique(table["class"]):
        own = known[known["class"] == name]
        number = pd.factorize(own["patient"])[0]
        if number.max(initial=0) < 1:
            raise InputError(f"fewer than two patients have labels of {name}: nothing to calibrate")
        agreement, dice = (own[column].to_numpy(float) for column in ("agreement", "dice"))
        lines[str(name)] = fit_line(agreement, dice, number % 2 == 1, LEVEL)
    series, patients = known.groupby(["case", "series"]).ngroups, known["patient"].nunique()
    return DiceCalibration(weights_sha256, lines, series, patients, scanners)


def mean_agreement(values: Mapping[str, list[float | None]]) -> dict[str, float]:
    """Mean over slices per class; NaN without augmentation."""
    known = {name: [v for v in own if v is not None] for name, own in values.items()}
    return {name: float(np.mean(own)) if own else math.nan for name, own in known.items()}
