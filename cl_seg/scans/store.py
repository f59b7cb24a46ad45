"""The slice store: a folder of CT slices, their labels and what is known of each slice.

Layout (one folder)::

    store.json           classes, canonical grid, provenance, content hash
    slices.parquet       a row per slice, see COLUMNS
    <scanner>/hu.npy     (N, H, W) int16, Hounsfield units
    <scanner>/labels.npy (N, H, W) uint8, 0 background, 1.. the classes in order, 255 unlabelled
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.lib.format import open_memmap, write_array_header_1_0
from pydantic import Field

from cl_seg.files.json_file import parse_as, read_json, to_json
from cl_seg.files.write import new_folder, write_json
from cl_seg.messages.errors import InputError, one_line

FORMAT = 2
DTYPES: dict[str, np.dtype[Any]] = {"hu": np.dtype(np.int16), "labels": np.dtype(np.uint8)}
UNLABELLED = 255
NO_MONTH = -1
MONTH = "month"
"""The one column that a store may lack."""
MAX_SIZE = 4096
"""Pixels per side of the largest slices (engineering value)."""

HU = npt.NDArray[np.int16]
Labels = npt.NDArray[np.uint8]
FolderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
ClassName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


@dataclass(frozen=True)
class SliceRow:
    """Metadata of one slice; every field is a column of ``slices.parquet``.

    Attributes:
        slice_id: unique in the store.
        scanner: folder name of the scanner.
        case: one patient on one scanner.
        patient: salted hash of the patient, or the simulated body; the unit of splits.
        series: salted hash of the series, or a name for simulated data.
        z_mm: position along the patient axis in mm.
        spacing_mm: in-plane pixel size of the original image in mm.
        thickness_mm: slice thickness in mm.
        kvp: tube voltage in kV, NaN when unknown.
        kernel: convolution kernel as the vendor writes it, "" when unknown.
        labelled: names of the classes this slice is labelled for, joined by ",".
        body: simulated anatomy, "" for real patients.
        body_cut: whether the body goes on beyond the slice, so that areas in it are incomplete.
        month: rank of the month of the scan among those of the store, from 0; ``NO_MONTH`` where
            the store does not say, and then has no such column.
    """

    slice_id: str
    scanner: str
    case: str
    patient: str
    series: str
    z_mm: float
    spacing_mm: float
    thickness_mm: float
    kvp: float
    kernel: str
    labelled: str
    body: str = ""
    body_cut: bool = False
    month: int = NO_MONTH

    def as_columns(self) -> dict[str, Any]:
        """Column → value, as stored and hashed."""
        columns = asdict(self)
        if self.month == NO_MONTH:
            del columns[MONTH]
        return columns


@dataclass(frozen=True)
class Grid:
    """The canonical grid of a store: ``size`` × ``size`` pixels of ``spacing_mm`` mm."""

    size: Annotated[int, Field(ge=1, le=MAX_SIZE)]
    spacing_mm: Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Header:
    """Content of ``store.json``.

    Attributes:
        classes: names of labels 1, 2, ….
        grid: canonical grid of every slice.
        provenance: where the data came from, JSON-serialisable; ``kind`` is "simulated" or "scans".
        scanners: folder name → display name, in ingest order.
        content_sha256: over rows, images and labels; ``content`` in the file.
        format: version of the layout.
    """

    classes: Annotated[list[ClassName], Field(min_length=1, max_length=UNLABELLED - 1)]
    grid: Grid
    provenance: dict[str, Any]
    scanners: dict[FolderName, str] = field(default_factory=dict)
    content_sha256: Annotated[str, Field(alias="content")] = ""
    format: int = FORMAT


class SliceStore:
    """A finished store, opened for reading; arrays are memory-mapped.

    Raises:
        InputError: ``folder`` is not a store, or was written by another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.header = read_header(self.folder)

    @cached_property
    def slices(self) -> pd.DataFrame:
        """A row per slice; row ``i`` of one scanner is index ``i`` of its arrays (``row``)."""
        path = self.folder / "slices.parquet"
        try:
            slices = pd.read_parquet(path)
        except Exception as error:  # pyarrow raises whatever the damage leads to
            raise _damaged(path, error) from None
        if fault := _fault(slices, self.scanners):
            raise InputError(f"{path} {fault}: ingest again")
        return slices

    @property
    def scanners(self) -> list[str]:
        """Folder names of the scanners, in ingest order."""
        return list(self.header.scanners)

    def hu(self, scanner: str) -> HU:
        """(N, H, W) int16 Hounsfield units of one scanner, memory-mapped."""
        hu: HU = self._array(scanner, "hu")
        return hu

    def labels(self, scanner: str) -> Labels:
        """(N, H, W) uint8 labels of one scanner, memory-mapped."""
        labels: Labels = self._array(scanner, "labels")
        return labels

    def content_hash(self) -> str:
        """SHA-256 over rows, images and labels as they are now; reads all of them."""
        digest = hashlib.sha256()
        for scanner in self.scanners:
            scanner_slices = self.slices[self.slices["scanner"] == scanner].sort_values("row")
            digest.update(_rows_text(scanner_slices.to_dict("records")))
            for array in (self.hu(scanner), self.labels(scanner)):
                for image in array:
                    digest.update(image.tobytes())
        return digest.hexdigest()

    def _array(self, scanner: str, name: str) -> Any:
        path = self.folder / scanner / f"{name}.npy"
        try:
            # Copy-on-write: torch warns of arrays it must not write to; the file never changes.
            array: Any = open_memmap(path, mode="c")  # type: ignore[no-untyped-call]
        except Exception as error:  # numpy raises whatever the damage leads to
            raise _damaged(path, error) from None
        size = self.header.grid.size
        expected = ((self.slices["scanner"] == scanner).sum(), size, size)
        if array.shape != expected or array.dtype != DTYPES[name]:
            raise InputError(
                f"{path} is {array.dtype} {array.shape}, expected {DTYPES[name]} {expected}: "
                "ingest again"
            )
        return array


def is_store(folder: Path) -> bool:
    """Whether a folder holds a store."""
    return (Path(folder) / "store.json").is_file()


def read_header(folder: Path) -> Header:
    """Read ``store.json`` alone.

    Raises:
        InputError: there is none, or it is of another version.
    """
    path = Path(folder) / "store.json"
    if not is_store(folder):
        raise InputError(
            f"{folder} is not a slice store (no {path.absolute()}): make one with `cl-seg "
            "ingest` or `cl-seg phantom`"
        )
    try:
        raw = read_json(path)
        if raw["format"] != FORMAT:
            raise InputError(f"{path}: format {raw['format']}, expected {FORMAT}: ingest again")
        return parse_as(raw, Header)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}): ingest again") from error


def _rows_text(rows: Sequence[Mapping[Any, Any]]) -> bytes:
    """Rows as hashed text, the same before they are written and after they are read."""
    kinds = {f.name: cast("type", f.type) for f in fields(SliceRow)}
    typed = [{name: kind(row[name]) for name, kind in kinds.items() if name in row} for row in rows]
    return repr(typed).encode()


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is missing or damaged ({one_line(error)}): ingest again")


def _fault(slices: pd.DataFrame, scanners: Sequence[str]) -> str:
    """Fault of a table of slices, in words; "" for none."""
    types = {f.name: f.type for f in fields(SliceRow)} | {"row": int}
    if MONTH not in slices:
        del types[MONTH]
    if missing := sorted(types.keys() - set(slices.columns)):
        return f"lacks {', '.join(missing)}"
    for name, kind in types.items():
        column = slices[name]
        number = pd.api.types.is_numeric_dtype(column)
        if number == (kind is str) or (kind is not float and column.hasnans):
            return f"holds no {'text' if kind is str else 'numbers'} in {name}"
    if unknown := sorted(set(slices["scanner"]) - set(scanners)):
        return f"has slices of {unknown[0]}, which store.json does not name"
    for scanner, rows in slices.groupby("scanner")["row"]:
        if sorted(rows) != list(range(len(rows))):
            return f"does not number the slices of {scanner} from 0 on"
    return ""


def check_offers(header: Header, folder: Path, classes: Sequence[str], image_size: int) -> None:
    """Refuse a task that a store with this header cannot serve.

    Raises:
        InputError: a class is missing, or images would be larger than the slices.
    """
    missing = [name for name in classes if name not in header.classes]
    if missing:
        raise InputError(
            f"{folder} has no class {', '.join(missing)}: it has "
            f"{', '.join(header.classes)}; ingest labels of all classes, or change `classes` in "
            "the suite"
        )
    if image_size > header.grid.size:
        raise InputError(
            f"image.size {image_size} is larger than the {header.grid.size} pixels of {folder}: "
            f"choose at most {header.grid.size}, or make the store on a finer grid (--size and "
            "--spacing-mm)"
        )


class StoreWriter:
    """Collects slices scanner by scanner; made by :func:`create_store`."""

    def __init__(self, folder: Path, header: Header) -> None:
        self.folder = folder
        self.header = header
        self._rows: list[dict[str, Any]] = []
        self._digest = hashlib.sha256()

    def add_scanner(
        self, scanner: str, display_name: str, rows: list[SliceRow], hu: HU, labels: Labels
    ) -> None:
        """Write one scanner whole.

        Args:
            scanner: folder name, made of letters, digits, ``-`` and ``_``.
            display_name: name shown in tables and figures.
            rows: one per slice, in the order of the arrays.
            hu: (N, H, W) int16, Hounsfield units on the canonical grid; may be a memory map.
            labels: (N, H, W) uint8.
        """
        shape = (len(rows), self.header.grid.size, self.header.grid.size)
        if hu.shape != shape or labels.shape != shape:
            raise ValueError(f"{scanner}: expected {shape}, got {hu.shape} and {labels.shape}")
        known = [*range(len(self.header.classes) + 1), UNLABELLED]
        for image in labels:
            if not np.isin(image, known).all():
                raise ValueError(f"{scanner}: labels other than {known}")
        self.header.scanners[scanner] = display_name
        columns = [row.as_columns() for row in rows]
        self._rows += [{**row, "row": i} for i, row in enumerate(columns)]
        self._digest.update(_rows_text(columns))
        (self.folder / scanner).mkdir()
        for name, array in (("hu", hu), ("labels", labels)):
            self._write_array(self.folder / scanner / f"{name}.npy", array, DTYPES[name])

    def _write_array(self, path: Path, array: HU | Labels, dtype: np.dtype[Any]) -> None:
        # Written slice by slice, not through a memory map: a full disk must raise, not crash.
        layout = {"descr": dtype.str, "fortran_order": False, "shape": array.shape}
        with path.open("wb") as file:
            write_array_header_1_0(file, layout)  # type: ignore[no-untyped-call]
            for image in array:
                content = np.ascontiguousarray(image, dtype).tobytes()
                self._digest.update(content)
                file.write(content)

    def finish(self) -> None:
        """Write the table and the header; the store is complete afterwards."""
        pd.DataFrame(self._rows).to_parquet(self.folder / "slices.parquet", index=False)
        header = replace(self.header, content_sha256=self._digest.hexdigest())
        write_json(self.folder / "store.json", to_json(header))


@contextmanager
def create_store(
    folder: Path, classes: list[str], grid: Grid, provenance: dict[str, Any]
) -> Iterator[StoreWriter]:
    """Build a store in a temporary folder that is renamed to ``folder`` when whole.

    Raises:
        InputError: ``folder`` exists, is in another store, cannot be written, or the disk is full.
    """
    for above in Path(folder).resolve().parents:
        if (above / "store.json").is_file():
            raise InputError(f"{folder} is in the store {above}: choose a place outside of it")
    with new_folder(Path(folder)) as building:
        writer = StoreWriter(building, Header(classes, grid, provenance))
        yield writer
        writer.finish()
