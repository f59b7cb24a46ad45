"""The slices of a scanner as volumes that viewers open: one per case, or several with a gap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.scans.series import Volume
from cl_seg.scans.store import SliceStore

_EVEN = 0.01  # of the distance between slices, by which it may vary in one volume


@dataclass(frozen=True)
class CaseVolume:
    """Slices of a case at equal distances.

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
    """All slices of a scanner, case by case.

    Cases are numbered in the order of the store, so that a case keeps its name.

    Args:
        store: the slices.
        scanner: folder name.
        wanted: ids of slices; volumes without any of them are left out.
    """
    hu, grid = store.hu(scanner), store.header.grid
    corner = -grid.spacing_mm * (grid.size - 1) / 2
    own = store.slices[store.slices["scanner"] == scanner]
    for number, (_, case) in enumerate(own.groupby("case", sort=False), start=1):
        case = case.sort_values("z_mm")  # noqa: PLW2901 - the same case
        pieces = stretches(case["z_mm"].to_numpy())
        for index, piece in enumerate(pieces):
            rows = case.iloc[piece]
            if wanted is not None and not rows["slice_id"].isin(wanted).any():
                continue
            letter = chr(ord("a") + index % 26) * (1 + index // 26) if len(pieces) > 1 else ""
            z_mm = rows["z_mm"].to_numpy(dtype=float)
            spacing = (grid.spacing_mm, grid.spacing_mm)
            volume = Volume(np.asarray(hu[rows["row"]]), z_mm, spacing, (corner, corner))
            yield CaseVolume(f"case-{number:03d}{letter}", rows, volume)


def stretches(z_mm: npt.NDArray[np.float64]) -> list[slice]:
    """Cut ascending positions into runs with one distance each, which is all that NIfTI can say."""
    cuts, start = [], 0
    for i in range(2, len(z_mm)):
        step = z_mm[start + 1] - z_mm[start] if i - start >= 2 else np.nan
        if abs(z_mm[i] - z_mm[i - 1] - step) > _EVEN * step:
            cuts.append(slice(start, i))
            start = i
    return [*cuts, slice(start, len(z_mm))]
