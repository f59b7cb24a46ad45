"""Scores add up over the slices of a case, and measuring changes nothing."""

import math

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from torch import nn

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.metrics.segmentation import assd, dice_of_counts, hd95
from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.training.evaluate import (
    EVAL_BATCH,
    ValidationCurve,
    case_scores,
    pixel_counts,
    predict,
    ranked_slices,
    slice_dice,
)

from ..conftest import CLASSES, SCANNERS, tiny_network, weights
from .conftest import make_loop


@pytest.fixture(scope="module")
def test_slices(images, parts):
    return SliceDataset(images, parts[parts.part != "validation"])


def stack(*slices):
    return np.array(slices, np.uint8)


def test_predict_is_argmax_in_eval_mode(test_slices):
    model = tiny_network()
    assert len(test_slices) > EVAL_BATCH
    prediction, truth = predict(model, test_slices)
    model.eval()
    pictures, masks = test_slices.batch(torch.arange(len(test_slices)))
    assert np.array_equal(prediction, model(pictures).argmax(1).numpy())
    assert np.array_equal(truth, masks.numpy()) and (truth == 255).any()
    assert prediction.dtype == truth.dtype == np.uint8


@pytest.mark.parametrize("training", [True, False])
def test_predict_leaves_everything_as_it_was(test_slices, training):
    model = tiny_network().train(training)
    model[1].train(not training)
    modes, state = [m.training for m in model.modules()], weights(model)
    torch.manual_seed(5)
    noise, numpy_noise = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    predict(model, test_slices)
    assert torch.equal(torch.get_rng_state(), noise)
    assert np.array_equal(np.random.get_state()[1], numpy_noise)  # noqa: NPY002
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(weights(model), state)


def test_eval_mode_is_left_after_an_error():
    model = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(1))
    model[1].eval()
    with pytest.raises(RuntimeError), eval_mode(model):
        assert not model[0].training
        raise RuntimeError
    assert model.training and model[0].training and not model[1].training


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


def test_counts_pool_pixels():
    truth, found = stack([[1, 1]], [[1, 0]]), stack([[1, 0]], [[1, 1]])
    assert dice_of_counts(**pixel_counts(found, truth, 1)) == pytest.approx(2 * 2 / 6)
    assert dice_of_counts(**pixel_counts(found, truth, 0)) == 0
    assert math.isnan(dice_of_counts(**pixel_counts(found, truth, 2)))


def test_slices_are_ranked_by_the_mean_dice_of_their_classes():
    truth = np.zeros((4, 2, 4), np.uint8)
    truth[:3, 0] = 1
    truth[0, 1] = 2
    found = truth.copy()
    found[0, 1] = 0
    found[1, 0, 2:] = 0
    dice = slice_dice(found, truth, 2)
    assert dice == pytest.approx([0.5, 2 / 3, 1, math.nan], nan_ok=True)
    assert ranked_slices(dice) == (0, 1, 2)
    assert ranked_slices(np.full(3, math.nan)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("every", "points"), [(3, [3, 6, 7]), (7, [7]), (20, [7]), (1, list(range(1, 8))), (0, [])]
)
def test_points_of_the_curve(benchmark, images, parts, every, points):
    slices = {
        s: SliceDataset(images, parts[(parts.part == "validation") & (parts.scanner == s)])
        for s in SCANNERS[:2]
    }
    curve, model = ValidationCurve(slices, CLASSES, every), tiny_network()
    make_loop(model, [curve], steps=7).train(benchmark.train_stream[0], eval_streams=[])
    expected = [(p, s, c) for p in points for s in slices for c in CLASSES]
    assert [(r["step"], r["scanner"], r["class"]) for r in curve.rows] == expected
    if points:
        prediction, truth = predict(model, slices[SCANNERS[1]])
        last = {name: curve.rows[-1][name] for name in ("overlap", "predicted", "true")}
        assert last == pixel_counts(prediction, truth, 2)


def test_measuring_does_not_change_training(benchmark, images, parts):
    slices = {"alpha": SliceDataset(images, parts[parts.part == "validation"])}
    results = []
    for every in (0, 1):
        torch.manual_seed(0)
        model = tiny_network()
        loop = make_loop(model, [ValidationCurve(slices, CLASSES, every)], steps=6)
        loop.train(benchmark.train_stream[0], eval_streams=[])
        results.append(weights(model))
    assert torch.equal(*results)
