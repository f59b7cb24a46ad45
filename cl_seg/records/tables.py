"""The tables and pictures of one run: in its own folder, packed, or in memory."""

import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from cl_seg.messages.errors import InputError, one_line
from cl_seg.records.damage import DamagedResults

CASES, CURVE, EXAMPLES = "cases.parquet", "curve.parquet", "examples.npz"
PACKED = "runs.jsonl"
CURVE_COLUMNS = ("stage", "step", "scanner", "class", "dice")
NEEDED = {"stage", "scanner", "patient", "class", "dice", "true"}
"""Columns without which scores say nothing."""
MAX_EXAMPLE_BYTES = 2**30
"""Bytes that the pictures of a run may take in memory (engineering value)."""
Examples = dict[str, npt.NDArray[Any]]


def no_curve() -> pd.DataFrame:
    """The validation curve of a run that was never validated."""
    return pd.DataFrame(columns=list(CURVE_COLUMNS))


@dataclass(frozen=True)
class InMemoryTables:
    """Tables that are in memory."""

    cases: pd.DataFrame
    curve: pd.DataFrame = field(default_factory=no_curve)
    examples: Examples = field(default_factory=dict)


@dataclass(frozen=True)
class StoredTables:
    """Tables that are read when they are asked for.

    Attributes:
        folder: folder of the run, or of packed results.
        run_id: name of the run.
    """

    folder: Path
    run_id: str

    @property
    def cases(self) -> pd.DataFrame:
        """Per-case scores after every stage, read anew each time: they may fill the memory."""
        table, path = self._table(CASES), self.folder / CASES
        if lacking := sorted(NEEDED - set(table.columns)):
            raise DamagedResults(
                f"{path} lacks the column {lacking[0]}: remove its folder, run again"
            )
        for name in ("stage", "dice", "true"):
            if not pd.api.types.is_numeric_dtype(table[name]):
                raise DamagedResults(
                    f"{path}: the column {name} holds no numbers: remove its folder, run again"
                )
        return table

    @property
    def curve(self) -> pd.DataFrame:
        """Validation Dice while training, read anew each time."""
        return self._table(CURVE, no_curve())

    @cached_property
    def examples(self) -> Examples:
        """Slices to look at; none if packed."""
        path = self.folder / EXAMPLES
        if not path.is_file():
            return {}
        try:
            with zipfile.ZipFile(path) as members:
                size = sum(member.file_size for member in members.infolist())
            if size > MAX_EXAMPLE_BYTES:
                raise InputError(f"{path} would take {size} bytes of memory: remove its folder")
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise _damaged(path, error) from None

    def _table(self, name: str, none: pd.DataFrame | None = None) -> pd.DataFrame:
        """One of its tables; where packed results have no row of it, ``none`` if that is given."""
        path = self.folder / name
        if not (self.folder / PACKED).is_file():
            return _read_table(path)
        try:
            found = _packed_table(path, path.stat().st_mtime_ns).get(self.run_id, none)
        except (OSError, KeyError):
            found = None
        if found is None:
            raise DamagedResults(
                f"{path} lacks what {PACKED} beside it promises: pack the results again"
            )
        return found


def _read_table(path: Path) -> pd.DataFrame:
    try:
        with pq.ParquetFile(path) as file:
            # Tables are small: to start threads takes longer than to read.
            table: pd.DataFrame = file.read(use_threads=False).to_pandas()
    except Exception as error:  # pyarrow raises whatever the damage leads to
        raise _damaged(path, error) from None
    return table


def _damaged(path: Path, error: Exception) -> DamagedResults:
    return DamagedResults(
        f"{path} is missing or damaged ({one_line(error)}): remove its folder, run again"
    )


@dataclass(frozen=True)
class RenamedTables:
    """Tables of a run whose scanners have other names.

    Attributes:
        tables: with the names that they were written with.
        names: scanner → its other name; one that is missing keeps its own.
    """

    tables: "StoredTables | InMemoryTables | RenamedTables"
    names: dict[str, str]

    @property
    def cases(self) -> pd.DataFrame:
        """Per-case scores after every stage, read anew each time."""
        return self._renamed(self.tables.cases)

    @property
    def curve(self) -> pd.DataFrame:
        """Validation Dice while training, read anew each time."""
        return self._renamed(self.tables.curve)

    @property
    def examples(self) -> Examples:
        """Slices to look at, whose keys begin with a scanner."""
        renamed = {}
        for key, value in self.tables.examples.items():
            scanner, slash, rest = key.partition("/")
            renamed[f"{self.names.get(scanner, scanner)}{slash}{rest}"] = value
        return renamed

    def _renamed(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(scanner=[self.names.get(name, name) for name in table["scanner"]])


@lru_cache(maxsize=4)
def _packed_table(path: Path, _changed: int) -> dict[str, pd.DataFrame]:
    table = _read_table(path)
    runs = table.groupby("run", sort=False)
    return {str(run): rows.drop(columns="run").reset_index(drop=True) for run, rows in runs}
