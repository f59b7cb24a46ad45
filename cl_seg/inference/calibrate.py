"""Calibrates the estimated Dice of a model on series with labels."""

from collections.abc import Callable
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd

from cl_seg.evaluation.case_scores import case_scores
from cl_seg.inference.dice_calibration import AUGMENTATIONS, DiceCalibration, fit_dice
from cl_seg.inference.ensemble import Ensemble
from cl_seg.inference.observe import ObservedSeries, observe_store
from cl_seg.messages.errors import InputError
from cl_seg.scans.splits import usable_slices
from cl_seg.scans.store import SliceStore


def calibrate_dice(
    ensemble: Ensemble, store: SliceStore, on_progress: Callable[[int, int], None]
) -> DiceCalibration:
    """Fit the relation of agreement and Dice on all labelled series of a store.

    Args:
        ensemble: one network, with a monitor.
        store: on its grid, with patients that it was not trained on.
        on_progress: called with the slices done and all.

    Raises:
        InputError: fewer than two patients have labels.
    """
    card = ensemble.cards[0]
    table = observed_dice(ensemble, store, on_progress)
    if table.empty:
        raise InputError(f"{store.folder}: no series is labelled for {' and '.join(card.classes)}")
    scanners = [str(name) for name in pd.unique(table["scanner"])]
    return fit_dice(table, card.weights_sha256, scanners)


def observed_dice(
    ensemble: Ensemble, store: SliceStore, on_progress: Callable[[int, int], None]
) -> pd.DataFrame:
    """Agreement and Dice of every labelled series and class.

    Returns:
        Columns scanner, case, series, patient, class, agreement, dice; no row of a series with a
        slice that is not labelled for every class.
    """
    classes, rows = ensemble.cards[0].classes, []
    for series in observe_store(ensemble, store, AUGMENTATIONS, on_progress):
        assert series.rows is not None
        first = series.rows.iloc[0]
        named = {name: str(first[name]) for name in ("case", "series", "patient")}
        if len(usable_slices(series.rows, classes)) == len(series.rows):
            agreement = series.observation.agreement
            rows += [
                {
                    "scanner": series.where["scanner"],
                    **named,
                    "class": score["class"],
                    "agreement": agreement[score["class"]],
                    "dice": score["dice"],
                }
                for score in _scores(series, store, classes)
            ]
    return pd.DataFrame(rows)


def _scores(series: ObservedSeries, store: SliceStore, classes: list[str]) -> list[dict[str, Any]]:
    assert series.rows is not None and series.labels is not None
    truth = np.asarray(store.labels(series.rows["scanner"].iloc[0])[series.rows["row"]])
    cases = ["series"] * len(truth)
    return case_scores(series.labels, truth, cases, classes, store.header.grid.spacing_mm)
