"""Points of the validation curve, whose scoring changes no training."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.evaluation.pixel_counts import pixel_counts
from cl_seg.evaluation.predict import predict
from cl_seg.training.validation_curve import ValidationCurve

from ..conftest import CLASSES, SCANNERS, tiny_network, weights
from .conftest import make_loop


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
