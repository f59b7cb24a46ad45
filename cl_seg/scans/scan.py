"""One thing to ingest: a series, with its labels if there are any."""

from dataclasses import dataclass, field
from pathlib import Path

from cl_seg.scans.series import Rejected, Series


@dataclass(frozen=True)
class DicomSeries(Series):
    """A series with what its headers say of whose and which it is, whatever a manifest says.

    Attributes:
        person: salted hash of PatientID, "" when absent.
        uid: salted hash of SeriesInstanceUID, "" when absent.
        images: salted hashes of SOPInstanceUIDs.
        files: of its images, in alphabetical order.
    """

    person: str = ""
    uid: str = ""
    images: frozenset[str] = frozenset()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Scan:
    """A series and its label file.

    Attributes:
        series: the images.
        labels: NIfTI label file on the grid of the images, None for none.
        classes: classes the label file covers, None for all of the label map.
        where: start of error messages about the labels, e.g. manifest and line.
        labelled_only: whether slices without labels are left out.
        line: of the manifest, 0 for none.
    """

    series: Series
    labels: Path | None = None
    classes: tuple[str, ...] | None = None
    where: str = ""
    labelled_only: bool = False
    line: int = 0


@dataclass(frozen=True)
class Found:
    """What a reader found: the scans to ingest, the files it left out, what should be known."""

    scans: list[Scan]
    rejected: list[Rejected]
    notes: list[str] = field(default_factory=list)
