"""One thing to ingest: a series, with its labels if there are any."""

from dataclasses import dataclass
from pathlib import Path

from cl_seg.scans.series import Rejected, Series


@dataclass(frozen=True)
class Scan:
    """A series and its label file.

    Attributes:
        series: the images.
        labels: NIfTI label file on the grid of the images, None for none.
        classes: classes the label file covers, None for all of the label map.
        where: start of error messages about the labels, e.g. manifest and line.
        labelled_only: whether slices without labels are left out.
    """

    series: Series
    labels: Path | None = None
    classes: tuple[str, ...] | None = None
    where: str = ""
    labelled_only: bool = False


@dataclass(frozen=True)
class Found:
    """What a reader found: the scans to ingest and the files it left out."""

    scans: list[Scan]
    rejected: list[Rejected]
