"""Stability of predictions: an alarm where a structure is missed, and none where there is none."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cl_seg.inference.predict import SlicePrediction, expected_cm2, predict_slices
from cl_seg.inference.stability import (
    LOW_STABILITY,
    case_stability,
    doubted,
    low_stability_notes,
    possible_cm2,
    stability,
)

from .test_predict import SEEN, series


def prediction(masks: list[np.ndarray], expected: list[float]) -> SlicePrediction:
    variants = np.stack(masks).astype(np.uint8)
    areas = np.stack([np.zeros(len(masks)), expected], axis=1)
    return SlicePrediction(variants[0], variants, areas)


def test_where_something_is_found_it_is_the_mean_dice_of_pairs() -> None:
    one, half, none = np.ones((4, 4)), np.zeros((4, 4)), np.zeros((4, 4))
    half[:2] = 1
    assert stability(prediction([one, one, one], [9.0, 9, 9]), 1) == 1
    assert stability(prediction([one, one, half], [9.0, 9, 9]), 1) == pytest.approx(7 / 9)
    assert stability(prediction([one, none], [9.0, 0]), 1) == 0


@pytest.mark.parametrize(("expected", "wanted"), [(0.0, 1.0), (10.0, 0.5), (190.0, 0.05)])
def test_where_nothing_is_found_it_is_what_the_probabilities_leave(
    expected: float, wanted: float
) -> None:
    none = np.zeros((4, 4))
    found = prediction([none, none, none], [expected] * 3)
    assert stability(found, 1) == pytest.approx(wanted)


def test_one_variant_says_nothing() -> None:
    assert np.isnan(stability(prediction([np.ones((4, 4))], [9.0]), 1))


def test_probabilities_add_up_to_an_area_of_the_series() -> None:
    probability = torch.zeros(2, 3, 10, 10)
    probability[:, 0], probability[:, 1] = 0.995, 0.005
    probability[1, 1, :5], probability[1, 0, :5] = 0.4, 0.6
    np.testing.assert_allclose(
        expected_cm2(probability, 10.0),
        [[99.5, 0, 0], [50 * 0.995 + 30, 20, 0]],
        rtol=1e-6,
    )


class Hesitant(nn.Module):
    """Class 1 where the image is above 60 HU, with a probability that never decides."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, images: Tensor) -> Tensor:
        there = (images * 400 - 160 > 60) * self.probability
        return torch.cat([1 - there, there, there * 0], dim=1).clamp(1e-6).log()


@pytest.mark.parametrize(("probability", "sure"), [(0.4, False), (0.2, False), (0.001, True)])
def test_a_network_that_nearly_finds_an_organ_is_not_sure_that_it_is_absent(
    probability: float, sure: bool
) -> None:
    volume, _ = series((1.0, 1.0), (0.0, 0.0))
    (found,) = predict_slices([Hesitant(probability)], SEEN, volume, n_augmentations=4)
    assert not found.labels.any()
    assert (stability(found, 1) >= LOW_STABILITY) == sure
    assert stability(found, 2) == 1, "nothing is like class 2"


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_a_slice_that_is_far_says_nothing_of_its_neighbour() -> None:
    found = column(20, 0, 0, 8)
    near, far = (possible_cm2(found, column(0, 0, 1, 0), z) for z in (5.0 * np.arange(4), ZS))
    assert near.ravel().tolist() == [20, 10, 4, 8]
    assert far.ravel().tolist() == [20, 0, 4, 8]


ZS = np.array([0.0, 30, 35, 40])


def test_doubt_is_only_where_nothing_is_found_and_never_raises_agreement() -> None:
    alone, found = column(0.9, 0.3, 1, 1), column(5, 0, 0, 0)
    assert doubted(alone, found, column(5, 0, 30, 0)).ravel().tolist() == [0.9, 0.3, 0.25, 1]
    assert np.isnan(doubted(column(np.nan), column(0), column(1.0))).all()


def test_a_case_is_as_stable_as_the_slices_that_matter() -> None:
    assert case_stability([0.5, 1, 0.25], [10, 0, 30]) == pytest.approx(12.5 / 40)
    assert np.isnan(case_stability([1, 1], [0, 0]))


def test_slices_to_look_at_are_named_by_class() -> None:
    each = {"muscle": [0.9, 0.95, 1.0], "liver": [0.1, 0.89, 0.9, 0.2, None, 0.5, 0.6, 0.0]}
    (note,) = low_stability_notes(each)
    assert note == "look at liver on 6 of 8 slices (0-1, 3, 5-7): agreement below 0.9"
    assert low_stability_notes({"muscle": [None, None]}) == []
    assert "1 of 1 slice (0)" in low_stability_notes({"muscle": [0.2]})[0]
