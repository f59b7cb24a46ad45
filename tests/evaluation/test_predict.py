"""Predicting is argmax in eval mode and changes nothing."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.evaluation.predict import EVAL_BATCH, predict, predicted_labels
from cl_seg.runtime.eval_mode import eval_mode
from cl_seg.scans.area_preserving_labels import upsample_labels

from ..conftest import tiny_network, weights


@pytest.fixture(scope="module")
def test_slices(images, parts):
    return SliceDataset(images, parts[parts.part != "validation"])


def test_predict_is_argmax_in_eval_mode(test_slices):
    model = tiny_network()
    assert len(test_slices) > EVAL_BATCH
    prediction, truth = predict(model, test_slices)
    model.eval()
    pictures, masks = test_slices.batch(torch.arange(len(test_slices)))
    assert np.array_equal(prediction, model(pictures).argmax(1).numpy())
    assert np.array_equal(truth, masks.numpy()) and (truth == 255).any()
    assert prediction.dtype == truth.dtype == np.uint8


@pytest.mark.parametrize("size", [16, 32, 64, 37])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_finer_labels_are_those_of_every_slice_alone(size, classes):
    noise = torch.randn(5, classes, 4, 4, generator=torch.Generator().manual_seed(size))
    shares = functional.interpolate(noise * 4, (16, 16), mode="bicubic").softmax(dim=1)
    found = predicted_labels(shares, size)
    assert found.dtype == np.uint8 and found.shape == (5, size, size)
    for labels, probability in zip(found, shares, strict=True):
        decided = np.eye(classes, dtype=np.float32)[probability.numpy().argmax(axis=0)]
        decided = torch.from_numpy(decided).movedim(-1, 0)
        areas = decided.sum(dim=(1, 2)).numpy() * (size / 16) ** 2
        finer = (
            functional.interpolate(one[None], (size, size), mode="bilinear")[0].numpy()
            for one in (probability, decided)
        )
        assert np.array_equal(labels, upsample_labels(*finer, areas))


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
