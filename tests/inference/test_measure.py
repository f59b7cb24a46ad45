"""Measurements are in cm² and HU, and say where something may have been missed."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
import pytest

from cl_seg.inference.measure import (
    Variation,
    areas_cm2,
    measure_cases,
    measure_series,
    measurements,
    variation,
    variation_of_what_is_left,
)
from cl_seg.inference.predict import SlicePrediction
from cl_seg.scans.series import Volume

from .test_predict import series

CLASSES = ["muscle", "liver"]


def test_measurements_are_in_cm2_and_hu() -> None:
    volume, truth = series((1.0, 1.0), (0.0, 0.0))
    muscle, liver = measurements(volume.hu[0], truth, CLASSES, 1.0, 2.0)
    assert muscle["area_cm2"] == pytest.approx((truth == 1).sum() / 100)
    assert muscle["smi_cm2_m2"] == pytest.approx(muscle["area_cm2"] / 4)
    assert muscle["mean_hu"] == pytest.approx(110) and liver["mean_hu"] == pytest.approx(230)
    assert muscle["low_attenuation_share"] == 0 and liver["low_attenuation_share"] is None
    (nothing, _) = measurements(volume.hu[0], truth * 0, CLASSES, 1.0)
    assert nothing["area_cm2"] == 0 and nothing["mean_hu"] is None
    expected = [[muscle["area_cm2"], liver["area_cm2"]]]
    assert areas_cm2(truth[None], 2, 1.0).tolist() == expected


def test_variation_is_over_augmented_predictions() -> None:
    _, truth = series((1.0, 1.0), (0.0, 0.0))
    expected = np.array([[0.0, 10, 20], [0, 30, 40]])
    varied = variation(SlicePrediction(truth, np.stack([truth, truth * 0]), expected), 2, 1.0)
    assert varied.agreement.tolist() == [0, 0] and (varied.area_sd_cm2 > 0).all()
    assert varied.expected_cm2.tolist() == [20, 30]
    alone = variation(SlicePrediction(truth, truth[None], expected[:1]), 2, 1.0)
    assert np.isnan(alone.agreement).all() and np.isnan(alone.area_sd_cm2).all()


def test_a_removed_piece_says_nothing_of_what_is_left() -> None:
    each = Variation(np.array([0.3, 0.4]), np.zeros(2), np.array([50.0, 60]))
    left = variation_of_what_is_left(each, np.array([20.0, 20]), np.array([0, 30.0]))
    assert left.agreement.tolist() == [1, 0.4] and left.expected_cm2.tolist() == [30, 40]
    same = variation_of_what_is_left(each, np.zeros(2), np.zeros(2))
    assert same.agreement.tolist() == [0.3, 0.4] and same.expected_cm2.tolist() == [50, 60]


def measured(areas: list[int], agreement: float = 1.0) -> pd.DataFrame:
    """Of slices 5 mm apart with so many cm² of liver, and the same agreement on each."""
    labels = np.zeros((len(areas), 100, 100), np.uint8)
    for found, area in zip(labels, areas, strict=True):
        found.ravel()[:area] = 2
    hu, z_mm = np.zeros(labels.shape, np.int16), 5.0 * np.arange(len(areas))
    each = Variation(np.full(2, agreement), np.zeros(2), np.zeros(2))
    rows = measure_series(
        Volume(hu, z_mm, (10.0, 10.0), (0, 0)), labels, [each] * len(z_mm), CLASSES
    )
    return pd.DataFrame(rows).assign(case="a", scanner="s")


def test_a_slice_without_what_its_neighbours_have_is_not_certain() -> None:
    liver = measured([0, 0, 30, 0, 30, 0])[lambda rows: rows["class"] == "liver"]
    assert liver["possible_cm2"].tolist() == [0, 15, 30, 30, 30, 15]
    assert liver["agreement"].tolist() == pytest.approx([1, 0.4, 1, 0.25, 1, 0.4])


def test_empty_slices_do_not_make_a_case_more_certain() -> None:
    few, many = (measure_cases(measured([0, 40, 40, *[0] * n], 0.6)) for n in (1, 50))
    found = [each.set_index("class").loc["liver"] for each in (few, many)]
    assert found[0]["agreement"] == pytest.approx(found[1]["agreement"])
    assert found[0]["agreement"] == pytest.approx((80 * 0.6 + 40 / 3) / 120)
    assert (found[1]["slices"], found[1]["found"], found[1]["low_agreement"]) == (53, 2, 53)


def test_nothing_found_at_all_has_no_agreement() -> None:
    cases = measure_cases(measured([0, 0])).set_index("class")
    assert cases["agreement"].isna().all() and (cases["found"] == 0).all()
    alone = measure_cases(measured([5, 5], np.nan)).set_index("class")
    assert np.isnan(alone.loc["liver", "agreement"])
