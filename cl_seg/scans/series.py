"""CT series as all readers return them, to be loaded one at a time, and files they refuse."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cl_seg.messages.errors import InputError
from cl_seg.scans.scanner.identity import ScannerHeader
from cl_seg.scans.store import HU

HU_AIR = -1024
"""Value of padding and of everything outside the image, HU."""

HU_MAX = 3071
"""Upper end of the 12-bit CT scale, HU; metal beyond it is clipped so that it cannot ring."""


@dataclass(frozen=True)
class RejectedFile:
    """A file or series that was left out, and why."""

    path: Path
    reason: str
    files: int = 1


class UnusableError(Exception):
    """A file or series cannot be used; it is listed and the ingest goes on."""


@dataclass(frozen=True)
class Volume:
    """One axial series in LPS orientation: rows run to the back, columns to the patient's left.

    Attributes:
        hu: (N, H, W) int16, Hounsfield units within [-1024, 3071].
        z_mm: (N,) float64, ascending slice positions in mm.
        spacing_mm: (row, column) distance of pixel centres in mm.
        origin_mm: (y, x) position of the centre of pixel (0, 0) in mm.
        rejected: files of the series that could not be decoded.
        implausible: why its values cannot be HU, "" where they can.
    """

    hu: HU
    z_mm: npt.NDArray[np.float64]
    spacing_mm: tuple[float, float]
    origin_mm: tuple[float, float]
    rejected: list[RejectedFile] = field(default_factory=list)
    implausible: str = ""

    def notes(self) -> list[str]:
        """A note where implausible values were taken as they are."""
        return [f"taken as it is: {self.implausible}"] if self.implausible else []


@dataclass(frozen=True)
class Series:
    """A CT series that was found and passed the checks its header allows.

    Attributes:
        path: where it was found; for messages only, never stored.
        patient: salted hash of the patient.
        name: salted hash of the series.
        scanner_header: what the header says of the scanner.
        n_slices: number of slices.
        thickness_mm: slice thickness in mm, NaN when unknown.
        read: reads the pixels, whatever their values; raises UnusableError when none can be read.
        notes: what the user should know of this series.
        month: its month as a number that is larger for later ones, None where nobody asked or no
            date is known; in a store that of :func:`cl_seg.scans.months.ranked_by_month`.
    """

    path: Path
    patient: str
    name: str
    scanner_header: ScannerHeader
    n_slices: int
    thickness_mm: float
    read: Callable[[], Volume]
    notes: tuple[str, ...] = ()
    month: int | None = field(default=None, repr=False)

    def load(self, allow_implausible_hu: bool = False) -> Volume:
        """Read the pixels.

        Args:
            allow_implausible_hu: whether values that cannot be HU are taken as they are.

        Raises:
            UnusableError: no pixels can be read, or their values cannot be HU.
        """
        volume = self.read()
        if volume.implausible and not allow_implausible_hu:
            raise UnusableError(f"{volume.implausible} (--allow-implausible-hu takes it as it is)")
        return volume


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
class FoundScans:
    """Outcome of a search: scans to ingest, files left out, notes for the user."""

    scans: list[Scan]
    rejected: list[RejectedFile]
    notes: list[str] = field(default_factory=list)


class Pseudonyms:
    """Salted hashes of identifiers of patients, series and stations.

    Without the salt a hash cannot be traced back by trying identifiers, so the salt is not stored.

    Args:
        salt: 1 to 64 bytes, kept secret by the caller.
    """

    def __init__(self, salt: bytes) -> None:
        if not 1 <= len(salt) <= 64:
            raise InputError(f"the salt has {len(salt)} bytes: give 1 to 64, e.g. 16 random ones")
        self._salt = salt

    def patient(self, identifier: str) -> str:
        """12 hexadecimal digits for a patient."""
        return self._hash(identifier, b"patient")

    def series(self, identifier: str) -> str:
        """12 hexadecimal digits for a series."""
        return self._hash(identifier, b"series")

    def station(self, identifier: str) -> str:
        """6 hexadecimal digits for a station, whose name may tell the hospital."""
        return self._hash(identifier, b"station")[:6]

    def _hash(self, identifier: str, kind: bytes) -> str:
        digest = hashlib.blake2b(identifier.encode(), key=self._salt, person=kind, digest_size=6)
        return digest.hexdigest()


def to_hu(values: npt.NDArray[np.floating]) -> HU:
    """Round to whole HU and clip to [-1024, 3071]; padding (-2000, -2048, -3024 …) becomes air."""
    hu: HU = np.rint(np.clip(values, HU_AIR, HU_MAX)).astype(np.int16)
    return hu


def by_folder(rejected: list[RejectedFile]) -> list[RejectedFile]:
    """Make many rejected files of one folder with one reason a single line."""
    groups: dict[tuple[Path, str], list[RejectedFile]] = {}
    for item in rejected:
        folder = item.path.parent if item.files == 1 else item.path
        groups.setdefault((folder, item.reason), []).append(item)
    return [
        items[0] if len(items) == 1 else RejectedFile(folder, reason, sum(i.files for i in items))
        for (folder, reason), items in groups.items()
    ]
