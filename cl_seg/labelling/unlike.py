"""Queues of series that a model's monitor calls unlike its training scanners."""

from collections.abc import Iterable
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pandas as pd

from cl_seg.active_learning.ranking import Candidates, rank
from cl_seg.files.write import new_folder
from cl_seg.inference.monitor import Monitor, judge
from cl_seg.inference.observe import ObservedSeries, by_scanner
from cl_seg.labelling.choose import write_selection_queue
from cl_seg.messages.errors import InputError
from cl_seg.scans.splits import usable_slices
from cl_seg.scans.store import SliceStore

METHOD = "stratified"


def unlike_slices(monitor: Monitor, observed: Iterable[ObservedSeries]) -> pd.DataFrame:
    """Slices of scanners that are unlike as a whole, and of the unlike series of the others.

    Args:
        monitor: of the model.
        observed: series of a store.

    Returns:
        Rows of the store.
    """
    found = [pd.DataFrame(columns=["scanner", "labelled"])]
    for own in by_scanner(observed):
        features = np.stack([series.observation.features for series in own])
        whole = judge(monitor.features, features).unlike
        found += [
            series.rows
            for series, one in zip(own, features, strict=True)
            if series.rows is not None and (whole or judge(monitor.features, one[None]).unlike)
        ]
    return pd.concat(found[1:] or found)


def write_unlike_queues(
    store: SliceStore, unlike: pd.DataFrame, out: Path, count: int
) -> list[str]:
    """Write a queue per scanner, as ``cl-seg seed select`` does, into a folder of this name.

    Args:
        store: of the slices.
        unlike: rows of it; those that are labelled for every class are left out.
        out: folder to make.
        count: slices per scanner at most, taking patients and thirds of a scan in turn.

    Returns:
        Folder names of the scanners.

    Raises:
        InputError: nothing is unlike, or all of it is labelled; ``out`` exists.
    """
    if unlike.empty:
        raise InputError("no series is unlike the training scanners: there is nothing to queue")
    left = unlike.drop(index=usable_slices(unlike, store.header.classes).index)
    if left.empty:
        raise InputError("all series that are unlike have labels already: nothing to queue")
    with new_folder(out) as building:
        for scanner, own in left.groupby("scanner", sort=False):
            order = rank(METHOD, Candidates(own.reset_index(drop=True)), seed=0, count=count)
            chosen = [str(name) for name in own["slice_id"].iloc[order]]
            write_selection_queue(store, str(scanner), building / str(scanner), chosen, METHOD)
    return [str(scanner) for scanner in pd.unique(left["scanner"])]
