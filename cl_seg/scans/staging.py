"""Brings one scan onto the canonical grid and collects a scanner's slices in files."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import numpy as np

from cl_seg.messages.errors import InputError
from cl_seg.scans.labels.label_map import LabelMap
from cl_seg.scans.labels.read import fractions_in_air, read_labels
from cl_seg.scans.resample import (
    Placement,
    centre_grid,
    resample_image,
    resample_labels,
    size_notes,
)
from cl_seg.scans.series import RejectedFile, Scan, Series, UnusableError, Volume
from cl_seg.scans.slice_spacing import spacing_notes
from cl_seg.scans.store import HU, NO_MONTH, UNLABELLED, Grid, Labels, SliceRow


@dataclass(frozen=True)
class CanonicalScan:
    """Slices and labels of one scan on the canonical grid, ready to be stored.

    Attributes:
        rows: one per slice.
        hu: (H, W) int16 each, on the canonical grid.
        labels: (H, W) uint8 each.
        rejected: files that were left out; the whole scan where nothing is to be stored.
        notes: what the user should know of the scan.
        fault: what is wrong with the labels, "" for nothing.
        in_air: class → fraction of its pixels, where much of it lies in air.
        implausible: whether its values cannot be HU, and were taken all the same.
    """

    rows: list[SliceRow]
    hu: list[HU]
    labels: list[Labels]
    rejected: list[RejectedFile]
    notes: list[str]
    fault: str = ""
    in_air: dict[str, float] = field(default_factory=dict)
    implausible: bool = False


def read_scan(
    job: tuple[str, Scan], label_map: LabelMap, grid: Grid, allow_implausible_hu: bool = False
) -> CanonicalScan:
    """Load one scan and bring its slices onto the canonical grid.

    Args:
        job: folder name of the scanner, and the scan.
        label_map: meaning of label values.
        grid: canonical grid.
        allow_implausible_hu: whether values that cannot be HU are taken as they are.
    """
    scanner, scan = job
    series = scan.series
    try:
        volume = series.load(allow_implausible_hu)
    except UnusableError as error:
        files = series.n_slices if series.path.is_dir() else 1
        return CanonicalScan([], [], [], [RejectedFile(series.path, str(error), files)], [])
    try:
        given_labels = _given_labels(scan, volume, label_map)
    except InputError as error:
        return CanonicalScan([], [], [], [], [], str(error))
    placement = centre_grid(volume, grid)
    read = CanonicalScan(
        *([], [], [], list(volume.rejected), _notes(scan, volume, placement)),
        implausible=bool(volume.implausible),
    )
    if given_labels is not None:
        read.in_air.update(fractions_in_air(given_labels, volume.hu, label_map.classes))
    for index in range(len(volume.z_mm)):
        is_labelled = given_labels is not None and np.any(given_labels[index] != UNLABELLED)
        if scan.labelled_only and not is_labelled:
            continue
        labels = np.full((grid.size, grid.size), UNLABELLED, np.uint8)
        if given_labels is not None and is_labelled:
            labels = resample_labels(given_labels[index], volume, placement, grid)
        covered = ",".join(scan.classes or label_map.classes) if is_labelled else ""
        row = _row(series, volume, index, scanner, covered)
        read.rows.append(replace(row, body_cut=placement.truncated[index]))
        read.hu.append(resample_image(volume.hu[index], volume, placement, grid))
        read.labels.append(labels)
    if not read.rows:
        none = "none of its slices is labelled"
        read.rejected.append(RejectedFile(series.path, none, series.n_slices))
    return read


def _given_labels(scan: Scan, volume: Volume, label_map: LabelMap) -> Labels | None:
    """(N, H, W) uint8 labels of the store on the pixels of the scan, None without a label file."""
    if scan.labels is None:
        return None
    labels = read_labels(scan.labels, volume, label_map, scan.where)
    for label, name in enumerate(label_map.classes, start=1):
        if scan.classes is not None and name not in scan.classes:
            labels[labels == label] = 0
    return labels


def _notes(scan: Scan, volume: Volume, placement: Placement) -> list[str]:
    """Gaps, and a body of no body's size."""
    notes = [*scan.series.notes, *volume.notes(), *spacing_notes(volume.z_mm)]
    notes += size_notes(placement)
    return [f"{scan.series.path}: {note}" for note in notes]


def _row(series: Series, volume: Volume, index: int, scanner: str, labelled: str) -> SliceRow:
    return SliceRow(
        slice_id=f"{scanner}-{series.name}-{index:04d}",
        scanner=scanner,
        case=f"{scanner}-{series.patient}",
        patient=series.patient,
        series=series.name,
        z_mm=float(volume.z_mm[index]),
        spacing_mm=float(np.sqrt(np.prod(volume.spacing_mm))),
        thickness_mm=series.thickness_mm,
        kvp=series.scanner_header.kvp,
        kernel=series.scanner_header.kernel,
        labelled=labelled,
        month=NO_MONTH if series.month is None else series.month,
    )


@dataclass
class Staging:
    """Slices appended to raw files in ``folder`` until their number is known.

    A context manager: the files are removed at the end. Raises OSError when the disk is full.
    """

    folder: Path
    grid: Grid
    rows: list[SliceRow] = field(default_factory=list)

    def __enter__(self) -> "Staging":
        self._files = [(self.folder / f".{name}.raw").open("wb") for name in ("hu", "labels")]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files:
            file.close()
            Path(file.name).unlink(missing_ok=True)

    def append(self, scan: CanonicalScan) -> None:
        """Add the slices of one scan."""
        hu_file, labels_file = self._files
        for hu, labels in zip(scan.hu, scan.labels, strict=True):
            hu_file.write(hu.tobytes())
            labels_file.write(labels.tobytes())
        self.rows += scan.rows

    def arrays(self) -> tuple[HU, Labels]:
        """(N, H, W) int16 HU and uint8 labels as memory maps."""
        shape = (len(self.rows), self.grid.size, self.grid.size)
        for file in self._files:
            file.flush()
        hu, labels = (
            np.memmap(file.name, dtype, "r", shape=shape)
            for file, dtype in zip(self._files, (np.int16, np.uint8), strict=True)
        )
        return hu, labels
