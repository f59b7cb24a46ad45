"""The slices of a scanner as volumes that viewers open: one per series, or several with a gap."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cl_seg.scans.nifti import lettered_segments
from cl_seg.scans.series import Volume
from cl_seg.scans.slice_spacing import even_positions
from cl_seg.scans.store import Labels, SliceStore


@dataclass(frozen=True)
class CaseVolume:
    """Slices of a series at equal distances.

    Attributes:
        name: file name without its ending; numbers instead of hashes.
        rows: of the store, from the feet up.
        volume: their HU on the canonical grid, which lies with its middle at x = y = 0.
    """

    name: str
    rows: pd.DataFrame
    volume: Volume


def case_volumes(
    store: SliceStore, scanner: str, wanted: Sequence[str] | None = None
) -> Iterator[CaseVolume]:
    """All slices of a scanner, series by series.

    Series are numbered in the order of the store, so that each keeps its name.

    Args:
        store: the slices.
        scanner: folder name.
        wanted: ids of slices; volumes without any of them are left out.
    """
    hu, grid = store.hu(scanner), store.header.grid
    corner = -grid.spacing_mm * (grid.size - 1) / 2
    scanner_slices = store.slices[store.slices["scanner"] == scanner]
    for number, (_, case) in enumerate(
        scanner_slices.groupby(["case", "series"], sort=False), start=1
    ):
        case = case.sort_values("z_mm")  # noqa: PLW2901 - the same slices
        for letter, piece in lettered_segments(case["z_mm"].to_numpy(dtype=float)):
            rows = case.iloc[piece]
            if wanted is not None and not rows["slice_id"].isin(wanted).any():
                continue
            z_mm = even_positions(rows["z_mm"].to_numpy(dtype=float))  # as the file will say
            spacing = (grid.spacing_mm, grid.spacing_mm)
            volume = Volume(np.asarray(hu[rows["row"]]), z_mm, spacing, (corner, corner))
            yield CaseVolume(f"case-{number:03d}{letter}", rows, volume)


def stored_labels(store: SliceStore, row: Mapping[Any, Any]) -> tuple[Labels, list[str]]:
    """(S, S) labels the store has of a slice, and the classes it is labelled for.

    Args:
        store: the slices.
        row: of ``store.slices``.
    """
    labels = np.array(store.labels(str(row["scanner"]))[int(row["row"])])
    named = set(str(row["labelled"]).split(","))
    classes = [name for name in store.header.classes if name in named]
    return labels if classes else np.zeros_like(labels), classes
