"""Series of a store as a model sees them: as in training, and as in a suite's scores."""

from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
import pytest

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.evaluation.predict import predict
from cl_seg.inference.calibrate import observed_dice
from cl_seg.inference.dice_calibration import fit_dice
from cl_seg.inference.ensemble import Ensemble
from cl_seg.inference.monitor import Monitor
from cl_seg.inference.monitor_table import monitor_table
from cl_seg.inference.observe import observe_store
from cl_seg.inference.training_features import measure_training_features, series_features
from cl_seg.metrics.segmentation import dice
from cl_seg.records.model_card import Input, ModelCard, Network
from cl_seg.scans.store import UNLABELLED, SliceStore
from tests.conftest import CLASSES, SIZE, SPACING, WINDOW, tiny_network


@pytest.fixture(scope="module")
def ensemble(images: Any, parts: Any) -> Ensemble:
    """An untrained network with a monitor of two scanners."""
    card = ModelCard(
        network=Network(name="vnet", preset="small"),
        classes=list(CLASSES),
        input=Input(grid_size=SIZE, spacing_mm=SPACING, size=SIZE, window_hu=WINDOW),
        scanners={"alpha": "Alpha", "beta": "Beta"},
        simulated=True,
        trained={},
        scores={},
        weights_sha256="abc",
        versions={},
        git_commit="",
    )
    own = dict(list(parts.groupby(["scanner", parts["part"] == "train"])))
    scanners = {s: (own[s, True], own[s, False]) for s in ("alpha", "beta")}
    model = tiny_network().eval()
    features = measure_training_features(model, images, scanners)
    return Ensemble([model], [card], Monitor(features))


def quiet(done: int, total: int) -> None:
    assert 0 < done <= total


def test_features_and_labels_are_those_of_training_and_scores(
    ensemble: Ensemble, store: SliceStore, images: Any
) -> None:
    assert ensemble.monitor
    observed = list(observe_store(ensemble, store, 0, quiet))
    (model,), layer = ensemble.models, ensemble.monitor.features.layer
    expected = series_features(model, images, store.slices, layer)
    found = np.stack([series.observation.features for series in observed])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    labels, _ = predict(model, SliceDataset(images, observed[0].rows))
    np.testing.assert_array_equal(observed[0].labels, labels)
    assert all(np.isnan(value) for value in observed[0].observation.agreement.values())


@pytest.fixture(scope="module")
def table(ensemble: Ensemble, store: SliceStore) -> pd.DataFrame:
    """Agreement and Dice of the tiny store."""
    return observed_dice(ensemble, store, quiet)


def test_dice_is_of_series_labelled_for_all_classes(
    table: pd.DataFrame, ensemble: Ensemble, store: SliceStore, images: Any
) -> None:
    assert len(table) == 2 * 3 * 5  # the first patient of each scanner is labelled in part
    assert "alpha0" not in set(table["patient"])
    first = store.slices[store.slices["case"] == table["case"][0]]
    labels, truth = predict(ensemble.models[0], SliceDataset(images, first))
    known = truth != UNLABELLED
    assert table["dice"][0] == pytest.approx(dice((labels == 1)[known], (truth == 1)[known]))


def test_a_table_has_a_row_per_scanner_and_its_series(
    table: pd.DataFrame, ensemble: Ensemble, store: SliceStore
) -> None:
    assert ensemble.monitor
    calibration = fit_dice(table, "abc", ["Alpha", "Beta", "Gamma"])
    assert set(calibration.lines) == set(CLASSES) and calibration.series == 15
    monitor = Monitor(ensemble.monitor.features, calibration)
    found = monitor_table(monitor, observe_store(ensemble, store, 4, quiet), 4)
    assert list(found["level"]) == (["scanner"] + ["series"] * 6) * 3
    whole, series = (found[found["level"] == level] for level in ("scanner", "series"))
    verdicts = dict(zip(whole["scanner"], whole["verdict"], strict=True))
    assert verdicts["Alpha"] == "like Alpha" and "unlike" in verdicts["Gamma"]
    own = series[series["scanner"] == "Alpha"]
    assert whole["dice_liver"].iloc[0] == pytest.approx(own["dice_liver"].mean(), abs=1e-4)
    assert whole["dice_liver_low"].isna().all() and series["dice_liver_low"].notna().all()
