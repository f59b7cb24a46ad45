"""The series of a store or of a source of CT, as a saved model sees them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd

from cl_seg.active_learning.embedding import pooled_features
from cl_seg.inference.dice_calibration import mean_agreement
from cl_seg.inference.ensemble import Ensemble
from cl_seg.inference.monitor import Observation
from cl_seg.inference.predict import predict_slices
from cl_seg.inference.predicted_case import PredictionOptions
from cl_seg.inference.series import predict_cases
from cl_seg.inference.stability import stability
from cl_seg.scans.resample import Placement
from cl_seg.scans.series import Volume
from cl_seg.scans.store import Labels, SliceStore

MIDDLE = Placement((0.0, 0.0))
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class ObservedSeries:
    """A series as a model sees it.

    Attributes:
        where: its scanner and case, for a table.
        slices: how many.
        observation: features and agreement.
        rows: of the store; None outside one.
        labels: (N, S, S) uint8, predicted for each of these rows; None outside a store.
    """

    where: dict[str, Any]
    slices: int
    observation: Observation
    rows: pd.DataFrame | None = None
    labels: Labels | None = None


def by_scanner(observed: Iterable[ObservedSeries]) -> list[list[ObservedSeries]]:
    """Series of each scanner, scanners in the order of their first one."""
    of_scanner: dict[str, list[ObservedSeries]] = {}
    for series in observed:
        of_scanner.setdefault(series.where["scanner"], []).append(series)
    return list(of_scanner.values())


def observe_store(
    ensemble: Ensemble, store: SliceStore, augmentations: int, on_progress: OnProgress
) -> Iterator[ObservedSeries]:
    """Observe every series of a store, scanner by scanner.

    Args:
        ensemble: one network, with a monitor.
        store: on its grid.
        augmentations: per slice, for the agreement.
        on_progress: called with the slices done and all.
    """
    done = 0
    for scanner in store.scanners:
        scanner_slices = store.slices[store.slices["scanner"] == scanner]
        for number, (_, rows) in enumerate(
            scanner_slices.groupby(["case", "series"], sort=False), start=1
        ):
            where = {"scanner": store.header.scanners[scanner], "case": f"case-{number:03d}"}
            labels, observation = _observed(ensemble, _volume(store, rows), augmentations)
            done += len(rows)
            on_progress(done, len(store.slices))
            yield ObservedSeries(where, len(rows), observation, rows, labels)


def _volume(store: SliceStore, rows: pd.DataFrame) -> Volume:
    grid = store.header.grid
    corner = -grid.spacing_mm * (grid.size - 1) / 2  # the grid's middle is at x = y = 0
    hu = np.asarray(store.hu(rows["scanner"].iloc[0])[rows["row"]])
    z_mm = rows["z_mm"].to_numpy(float)
    return Volume(hu, z_mm, (grid.spacing_mm, grid.spacing_mm), (corner, corner))


def _observed(ensemble: Ensemble, volume: Volume, augmentations: int) -> tuple[Labels, Observation]:
    assert ensemble.monitor is not None, "asked before"
    card, (model,) = ensemble.cards[0], ensemble.models
    labels, features = [], []
    agreement: dict[str, list[float | None]] = {name: [] for name in card.classes}
    with pooled_features(model, ensemble.monitor.features.layer) as kept:
        for prediction in predict_slices([model], card.input, volume, augmentations, MIDDLE):
            labels.append(prediction.labels)
            features.append(kept[-1][0])  # the image before its augmented copies
            kept.clear()
            for label, name in enumerate(card.classes, start=1):
                agreement[name].append(stability(prediction, label) if augmentations else None)
    observation = Observation(np.mean(features, axis=0), mean_agreement(agreement))
    return np.stack(labels), observation


def observe_source(
    ensemble: Ensemble, source: Path, options: PredictionOptions, on_progress: OnProgress
) -> Iterator[ObservedSeries]:
    """Observe every CT series of a source, see :func:`cl_seg.inference.series.predict_cases`.

    Raises:
        InputError: nothing usable.
    """
    for case in predict_cases(ensemble, source, options, on_progress):
        if case.observation:
            where = {name: case.identification[name] for name in ("scanner", "case")}
            yield ObservedSeries(where, len(case.labels), case.observation)
