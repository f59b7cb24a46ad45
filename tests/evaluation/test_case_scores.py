"""Scores add up over the slices of a case."""

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cl_seg.evaluation import slice_scores
from cl_seg.evaluation.case_scores import case_scores
from cl_seg.evaluation.pixel_counts import pixel_counts
from cl_seg.metrics.body_composition import area_cm2
from cl_seg.metrics.effort import added_path_length, area_to_correct
from cl_seg.metrics.segmentation import assd, dice_of_counts, hd95, iou_of_counts

from ..conftest import CLASSES
from ..metrics import plain_surfaces


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
    # Pixels are 5 mm: within 3 mm are those on both contours, one pixel in each of two slices.
    assert a["surface_dice_3mm"] == pytest.approx((2 + 2) / (3 + 4)) and b["surface_dice_3mm"] == 0


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
    assert math.isnan(muscle["surface_dice_3mm"]) and liver["surface_dice_3mm"] == 0
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


def plain_scores(found, true, mm):
    """Scores of one class on the slices of one case, slice by slice."""
    overlap, predicted, all_true = (int(mask.sum()) for mask in (found & true, found, true))
    pairs = [(f, t) for f, t in zip(found, true, strict=True) if f.any() or t.any()]
    hd95s, assds = zip(*(plain_surfaces.surface_scores(f, t, mm) for f, t in pairs), strict=True)
    return {
        "overlap": overlap,
        "predicted": predicted,
        "true": all_true,
        "dice": 2 * overlap / (predicted + all_true),
        "iou": iou_of_counts(overlap, predicted, all_true),
        "true_cm2": area_cm2(all_true / len(true), mm),
        "area_error_cm2": area_cm2((predicted - all_true) / len(true), mm),
        "area_error_percent": 100 * (predicted - all_true) / all_true if all_true else math.nan,
        "contour_mm": np.mean([added_path_length(t & False, t, mm) for _, t in pairs]),
        "added_path_mm": np.mean([added_path_length(f, t, mm) for f, t in pairs]),
        "to_correct_cm2": np.mean([area_to_correct(f, t, mm) for f, t in pairs]),
        "hd95_mm": np.mean(hd95s),
        "assd_mm": np.mean(assds),
        "surface_dice_3mm": plain_surfaces.surface_dice(pairs, mm, 3.0),
        "missed": all_true > 0 and not predicted,
        "false_positive_cm2": area_cm2(predicted - overlap, mm),
    }


SHAPE = (5, 7, 8)
random_labels = arrays(np.uint8, SHAPE, elements=st.sampled_from([0, 1, 2, 255]))


@st.composite
def structures(draw):
    """Labels of slices with rectangles, which may be single pixels, whole slices or nothing."""
    labels = np.zeros(SHAPE, np.uint8)
    for one in labels:
        for label in draw(st.lists(st.sampled_from([1, 2, 255]), max_size=3)):
            (top, bottom), (left, right) = (
                sorted(draw(st.tuples(*[st.integers(0, side)] * 2))) for side in SHAPE[1:]
            )
            one[top : bottom + 1, left : right + 1] = label
    return labels


@settings(deadline=None)
@given(random_labels | structures(), random_labels | structures(), st.sampled_from([0.7, 1.6]))
def test_equal_to_plain_scores_of_every_slice_bit_for_bit(found, truth, mm):
    cases = ["a", "b", "a", "c", "c"]
    with patch.object(slice_scores, "CHUNK", 2):
        rows = case_scores(found, truth, cases, CLASSES, mm)
    np.testing.assert_equal(rows, case_scores(found, truth, cases, CLASSES, mm))
    for row in rows:
        own = np.array(cases) == row.pop("case")
        label = CLASSES.index(row.pop("class")) + 1
        known = truth[own] != 255
        masks = [(labels[own] == label) & known for labels in (found, truth)]
        if any(mask.any() for mask in masks):
            np.testing.assert_equal(row, plain_scores(*masks, mm))
        else:
            assert math.isnan(row["hd95_mm"]) and row["contour_mm"] == row["to_correct_cm2"] == 0
