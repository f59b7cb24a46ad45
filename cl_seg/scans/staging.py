"""Brings one scan onto the canonical grid and collects a scanner's slices in files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from cl_seg.scans.labels import LabelMap, read_labels
from cl_seg.scans.resample import Placement, place, resample_image, resample_labels
from cl_seg.scans.scan import Scan
from cl_seg.scans.series import Volume, spacing_notes
from cl_seg.scans.store import HU, UNLABELLED, Grid, Labels, Slice


@dataclass(frozen=True)
class LoadedScan:
    """A scan in memory, on its own pixels.

    Attributes:
        scan: what was loaded.
        volume: its images.
        labels: (N, H, W) uint8 labels of the store, None without a label file.
        placement: where the canonical grid lies.
    """

    scan: Scan
    volume: Volume
    labels: Labels | None
    placement: Placement

    def notes(self, grid: Grid) -> list[str]:
        """What the user should know of this scan: gaps, a body wider than the grid."""
        notes = [*self.scan.series.notes, *spacing_notes(self.volume.z_mm)]
        if self.placement.body_cut:
            width = grid.size * grid.spacing_mm
            notes.append(f"the body is wider than the grid of {width:g} mm and is cut")
        return [f"{self.scan.series.path}: {note}" for note in notes]


def load_scan(scan: Scan, label_map: LabelMap, grid: Grid) -> LoadedScan:
    """Load the pixels and labels of one scan.

    Raises:
        UnusableError: none of its images can be read.
        InputError: the labels do not fit the images or the label map.
    """
    volume = scan.series.load()
    labels = None
    if scan.labels is not None:
        labels = read_labels(scan.labels, volume, label_map, scan.where)
        for label, name in enumerate(label_map.classes, start=1):
            if scan.classes is not None and name not in scan.classes:
                labels[labels == label] = 0
    return LoadedScan(scan, volume, labels, place(volume, grid))


def canonical_slices(
    loaded: LoadedScan, scanner: str, label_map: LabelMap, grid: Grid
) -> Iterator[tuple[Slice, HU, Labels]]:
    """Each slice of a scan that is to be stored, on the canonical grid, with its row of the store.

    Yields:
        The row, (H, W) int16 HU, (H, W) uint8 labels.
    """
    series, volume = loaded.scan.series, loaded.volume
    covered = ",".join(loaded.scan.classes or label_map.classes)
    for index, z_mm in enumerate(volume.z_mm):
        is_labelled = loaded.labels is not None and np.any(loaded.labels[index] != UNLABELLED)
        if loaded.scan.labelled_only and not is_labelled:
            continue
        image = resample_image(volume.hu[index], volume, loaded.placement, grid)
        labels = np.full(image.shape, UNLABELLED, np.uint8)
        labelled = ""
        if loaded.labels is not None and is_labelled:
            labelled = covered
            labels = resample_labels(loaded.labels[index], volume, loaded.placement, grid)
        row = Slice(
            slice_id=f"{scanner}-{series.name}-{index:04d}",
            scanner=scanner,
            case=f"{scanner}-{series.patient}",
            patient=series.patient,
            series=series.name,
            z_mm=float(z_mm),
            spacing_mm=float(np.sqrt(np.prod(volume.spacing_mm))),
            thickness_mm=series.thickness_mm,
            kvp=series.acquisition.kvp,
            kernel=series.acquisition.kernel,
            labelled=labelled,
        )
        yield row, image, labels


@dataclass
class Staging:
    """Slices appended to raw files in ``folder`` until their number is known.

    A context manager: the files are removed at the end. Raises OSError when the disk is full.
    """

    folder: Path
    grid: Grid
    rows: list[Slice] = field(default_factory=list)

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

    def append(self, row: Slice, image: HU, labels: Labels) -> None:
        """Add one slice."""
        hu_file, labels_file = self._files
        hu_file.write(image.tobytes())
        labels_file.write(labels.tobytes())
        self.rows.append(row)

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
