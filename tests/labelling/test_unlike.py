"""Queues of what a monitor calls unlike."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd
import pytest

from cl_seg.inference.monitor import Monitor, Observation
from cl_seg.inference.observe import ObservedSeries
from cl_seg.inference.training_features import TrainingFeatures
from cl_seg.labelling.queue import read_queue
from cl_seg.labelling.unlike import unlike_slices, write_unlike_queues
from cl_seg.messages.errors import InputError
from cl_seg.scans.store import SliceStore

HELD_OUT = np.linspace(-2.0, 2.0, 40)[:, None]
MONITOR = Monitor(TrainingFeatures("0", ["Alpha"], np.zeros((1, 1)), np.eye(1), [HELD_OUT]))


def observed(store: SliceStore, values: dict[str, list[float]]) -> list[ObservedSeries]:
    """Series of each scanner, in order, with these features."""
    return [
        ObservedSeries({"scanner": scanner}, len(rows), Observation(np.array([value]), {}), rows)
        for scanner, own in values.items()
        for value, (_, rows) in zip(
            own,
            store.slices[store.slices["scanner"] == scanner].groupby("case", sort=False),
            strict=True,
        )
    ]


def test_unlike_scanners_are_taken_whole_and_of_others_the_unlike_series(
    store: SliceStore,
) -> None:
    values = {"alpha": [0.1, -0.1, 0.2, 0, -0.2, 3.0], "beta": [1.9] * 6, "gamma": [0.0] * 6}
    series = observed(store, values)
    found = unlike_slices(MONITOR, series)
    counts = found.groupby("scanner", observed=True).size().to_dict()
    assert counts == {"alpha": 3, "beta": 18}
    assert series[5].rows is not None
    assert set(found[found["scanner"] == "alpha"]["case"]) == set(series[5].rows["case"])


def test_a_queue_per_scanner_holds_slices_without_labels(store: SliceStore, tmp_path: Path) -> None:
    unlike = store.slices[store.slices["scanner"] != "gamma"].assign(labelled="liver")
    names = write_unlike_queues(store, unlike, tmp_path / "queues", 4)
    assert names == ["alpha", "beta"]
    origin, entries = read_queue(tmp_path / "queues" / "beta")
    assert origin.scanner == "beta" and len(entries) == 4
    rows = unlike.set_index("slice_id").loc[[entry.slice_id for entry in entries]]
    assert set(rows["scanner"]) == {"beta"} and rows["patient"].nunique() == 4


def test_nothing_to_queue_is_told(store: SliceStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no series is unlike"):
        write_unlike_queues(store, unlike_slices(MONITOR, []), tmp_path / "queues", 4)
    whole = pd.DataFrame(store.slices[store.slices["labelled"] == "muscle,liver"])
    with pytest.raises(InputError, match="have labels already"):
        write_unlike_queues(store, whole, tmp_path / "queues", 4)
    assert not (tmp_path / "queues").exists()
