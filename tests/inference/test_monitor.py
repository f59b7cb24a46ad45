"""Verdicts: distances by hand, limits by rank, false alarms by simulation."""

from dataclasses import replace

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest

from cl_seg.inference.dice_calibration import DiceCalibration
from cl_seg.inference.monitor import UNLIKE, Monitor, Observation, judge, limit
from cl_seg.inference.training_features import TrainingFeatures
from cl_seg.metrics.conformal import ConformalLine

FEATURES = TrainingFeatures(
    layer="0",
    names=["Near", "Far"],
    means=np.array([[0.0, 0.0], [10.0, 0.0]]),
    covariance=np.diag([1.0, 4.0]),
    held_out=[np.array([[x, 0.0] for x in (1.0, -2.0, 3.0)]), np.array([[11.0, 0.0]])],
)


def test_the_nearest_scanner_and_its_distance() -> None:
    verdict = judge(FEATURES, np.array([[0.0, 4.0]]))
    assert (verdict.nearest, verdict.distance, verdict.limit) == ("Near", 2.0, 3.0)
    assert str(verdict) == "like Near"
    far = judge(FEATURES, np.array([[12.0, 0.0]]))
    assert (far.nearest, far.distance, far.limit) == ("Far", 2.0, 1.0)
    assert far.unlike and str(far) == UNLIKE


def test_several_series_are_judged_by_their_mean() -> None:
    assert judge(FEATURES, np.array([[3.0, 0.0], [-1.0, 0.0]])).distance == 1.0


def test_the_limit_of_one_series_leaves_a_share_of_held_out_ones_outside() -> None:
    held_out = np.stack([np.arange(1.0, 40.0), np.zeros(39)], axis=1)
    many = replace(FEATURES, held_out=[held_out, held_out])
    assert limit(many, 0, 1) == 38.0  # rank ⌈40 · 0.95⌉ of 39


@pytest.mark.parametrize("count", [1, 8])
def test_false_alarms_are_as_rare_as_promised_and_shifts_are_found(count: int) -> None:
    random = np.random.default_rng(count)
    alarms, found = [], []
    for _ in range(200):
        held_out = random.normal(size=(60, 3))
        features = TrainingFeatures("0", ["One"], np.zeros((1, 3)), np.eye(3), [held_out])
        series = random.normal(size=(count, 3))
        alarms.append(judge(features, series).unlike)
        found.append(judge(features, series + 3.0).unlike)
    assert np.mean(alarms) < 0.1 and np.mean(found) > 0.9


def test_dice_is_estimated_only_where_calibrated_with_as_many_augmentations() -> None:
    seen = Observation(np.zeros(2), {"liver": 0.9, "muscle": float("nan")})
    assert "dice_liver" not in Monitor(FEATURES).row(seen, 4)
    lines = {"liver": ConformalLine(1.0, -0.1, 0.05), "muscle": ConformalLine(1.0, 0.0)}
    monitor = Monitor(FEATURES, DiceCalibration("abc", lines, 8, 4, ["Near"]))
    row = monitor.row(seen, 4)
    assert [row[f"dice_liver{end}"] for end in ("", "_low", "_high")] == [0.8, 0.75, 0.85]
    assert "dice_muscle" not in row and row["verdict"] == "like Near"
    assert "dice_liver" not in monitor.row(seen, 2)
