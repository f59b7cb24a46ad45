"""Scores add up over the slices of a case."""

import math

import numpy as np
import pytest

from cl_seg.evaluation.case_scores import case_scores
from cl_seg.evaluation.pixel_counts import pixel_counts
from cl_seg.metrics.segmentation import assd, dice_of_counts, hd95

from ..conftest import CLASSES


def stack(*slices):
    return np.array(slices, np.uint8)


def test_slices_of_a_case_add_up():
    truth = stack([[1, 1], [0, 0]], [[0, 0], [1, 0]], [[1, 1], [1, 1]])
    found = stack([[1, 0], [0, 0]], [[0, 1], [1, 1]], [[0, 0], [0, 0]])
    rows = case_scores(found, truth, ["a", "a", "b"], ["muscle"], mm=5.0)
    assert [row["case"] for row in rows] == ["a", "b"]
    a, b = rows
    assert (a["overlap"], a["predicted"], a["true"]) == (2, 4, 3)
    assert a["dice"] == pytest.approx(2 * 2 / 7)  # not the mean of 2/3 and 1/2
    assert a["false_positive_cm2"] == pytest.approx(2 * 0.25) and a["missed"] is False
    assert b["dice"] == 0 and b["missed"] is True
    assert b["hd95_mm"] == pytest.approx(5 * math.hypot(2, 2))


def test_surface_distances_are_means_over_the_slices_concerned():
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 2, (2, 3, 8, 8)).astype(np.uint8)
    truth[1], found[1] = 0, 0
    (row,) = case_scores(found, truth, ["a"] * 3, ["muscle"], mm=1.5)
    for name, score in (("hd95_mm", hd95), ("assd_mm", assd)):
        values = [score(found[i] == 1, truth[i] == 1, 1.5) for i in (0, 2)]
        assert row[name] == pytest.approx(np.mean(values))


def test_slices_of_a_case_need_not_be_neighbours():
    rng = np.random.default_rng(1)
    truth, found = rng.integers(0, 3, (2, 4, 6, 6)).astype(np.uint8)
    mixed = case_scores(found, truth, ["a", "b", "a", "b"], CLASSES, 1.0)
    order = [0, 2, 1, 3]
    assert mixed == case_scores(found[order], truth[order], ["a", "a", "b", "b"], CLASSES, 1.0)
    assert [(r["case"], r["class"]) for r in mixed] == [
        ("a", "muscle"), ("a", "liver"), ("b", "muscle"), ("b", "liver"),
    ]  # fmt: skip


def test_absent_class():
    truth, found = stack([[0, 0], [0, 0]]), stack([[0, 2], [0, 0]])
    muscle, liver = case_scores(found, truth, ["a"], CLASSES, mm=10.0)
    assert math.isnan(muscle["dice"]) and math.isnan(muscle["hd95_mm"])
    assert muscle["missed"] is False and muscle["false_positive_cm2"] == 0
    assert liver["dice"] == 0 and liver["true"] == 0 and liver["missed"] is False
    assert liver["false_positive_cm2"] == pytest.approx(1.0)


def test_pixels_of_unknown_truth_take_no_part():
    truth = stack([[1, 255, 255], [0, 255, 1]])
    for unknown in (0, 1, 2):
        found = stack([[1, unknown, unknown], [0, unknown, 0]])
        muscle, liver = case_scores(found, truth, ["a"], CLASSES, 1.0)
        assert (muscle["overlap"], muscle["predicted"], muscle["true"]) == (1, 1, 2)
        assert liver["predicted"] == 0
        assert dice_of_counts(**pixel_counts(found, truth, 1)) == pytest.approx(2 / 3)
