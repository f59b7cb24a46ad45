"""Verdicts on series, and on each of their scanners, as a table."""

from collections.abc import Iterable
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd

from cl_seg.inference.monitor import Monitor, judge, verdict_row
from cl_seg.inference.observe import ObservedSeries, by_scanner

SCANNER, SERIES = "scanner", "series"


def monitor_table(
    monitor: Monitor, observed: Iterable[ObservedSeries], augmentations: int
) -> pd.DataFrame:
    """A row for every scanner, followed by one for each of its series.

    Args:
        monitor: of the model.
        observed: series, those of a scanner one after the other or not.
        augmentations: that their agreement is of.

    Returns:
        Columns level ("scanner" or "series"), scanner, case, slices, verdict, nearest, distance,
        limit, and per class ``dice_<class>`` with ``_low`` and ``_high`` where calibrated; of a
        scanner the mean estimate of its series, which has no interval.
    """
    tables = [_of_scanner(monitor, own, augmentations) for own in by_scanner(observed)]
    return pd.concat(tables, ignore_index=True)


def _of_scanner(
    monitor: Monitor, observed: list[ObservedSeries], augmentations: int
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "level": SERIES,
            **series.where,
            "slices": series.slices,
            **monitor.row(series.observation, augmentations),
        }
        for series in observed
    ]
    table = pd.DataFrame(rows)
    features = np.stack([series.observation.features for series in observed])
    lines = monitor.calibration.lines if monitor.calibration else []
    estimates = [f"dice_{name}" for name in lines if f"dice_{name}" in table]
    whole = {
        "level": SCANNER,
        "scanner": observed[0].where["scanner"],
        "case": f"{len(observed)} series",
        "slices": int(table["slices"].sum()),
        **verdict_row(judge(monitor.features, features)),
        **table[estimates].mean().round(4),
    }
    return pd.concat([pd.DataFrame([whole]), table], ignore_index=True)
