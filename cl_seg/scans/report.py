"""What an ingest did, as plain data."""

from dataclasses import dataclass, field
from pathlib import Path

from cl_seg.scans.series import Rejected


@dataclass(frozen=True)
class ScannerReport:
    """One scanner of the new store.

    Attributes:
        folder: folder name in the store.
        name: display name.
        cases: number of patients on this scanner.
        slices: number of slices.
        labelled: class name → number of slices labelled for it.
    """

    folder: str
    name: str
    cases: int
    slices: int
    labelled: dict[str, int]


@dataclass
class IngestReport:
    """The outcome of an ingest.

    Attributes:
        store: folder of the new store.
        scanners: one entry per scanner, in the order of the store.
        rejected: files and series left out, with the reason.
        notes: what the user should know: gaps, scanners with one patient, cut bodies.
    """

    store: Path
    scanners: list[ScannerReport] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
