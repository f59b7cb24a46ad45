"""The record of a finished run: its type, and its file ``run.json``."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cl_seg.files.json_file import parse_as, parse_json, read_json
from cl_seg.records.migration import SCHEMA, migrated
from cl_seg.records.run_spec import RecordModel, RunSpec, Text, Texts

RUN_FILE = "run.json"
Dice = Annotated[float, Field(ge=0, le=1)]
Rows = tuple[tuple[Dice | None, ...], ...]


class DataRecord(RecordModel):
    """The store of slices.

    Attributes:
        content: its content hash.
        kind: ``simulated`` or ``scans``.
        implausible_hu: number of series whose values cannot be HU and were taken as they are.
    """

    content: str
    kind: str
    implausible_hu: int = 0


class GridRecord(RecordModel):
    """Pixels per side of a stored slice, and their size in mm."""

    size: int
    spacing_mm: float


class StageRow(RecordModel):
    """Cost of one stage of a run: steps, time and memory.

    Attributes:
        position: position in the run, from 1; 0 where a file does not say.
        selection: name of the slices it was trained on.
        steps: optimiser steps.
        train_seconds, consolidate_seconds, test_seconds: seconds of the training, of the
            strategy's work on the experience afterwards, and of the tests.
        peak_bytes: peak memory of the process; None where it was not measured.
        kept_slices, kept_bytes: slices and bytes that the strategy keeps.
        new_slices, replayed_slices: slices of a step, of its own and from the strategy's memory;
            None in older files and for a plugin of somebody else.
        routes: tested scanner → scanner whose parameters were taken → number of cases; empty
            unless the strategy has parameters per scanner.
    """

    position: int = 0
    selection: str = ""
    steps: int
    train_seconds: float
    consolidate_seconds: float = 0.0
    test_seconds: float = 0.0
    peak_bytes: int | None = None
    kept_slices: int = 0
    kept_bytes: int = 0
    # Not written where unknown or empty, as in records from before there were any.
    new_slices: int | None = Field(default=None, exclude_if=lambda count: count is None)
    replayed_slices: int | None = Field(default=None, exclude_if=lambda count: count is None)
    routes: dict[str, dict[str, int]] = Field(default={}, exclude_if=lambda found: not found)


class RunRecord(RecordModel):
    """Record of a finished run: all that is known of it besides its tables.

    Attributes:
        run_id: folder name, unique in the suite.
        suite: name of the suite.
        key: hash of all that determines the result.
        spec: fields of the suite that determine the result.
        model, strategy: titles for tables and figures; their names and labels are in ``spec``.
        order_number: number of its order of scanners in the suite, from 1.
        place: position of its choices in the suite, for sorting.
        schedule: training regime: sequential, joint, cumulative, single, months,
            seed_curve or update, see
            :attr:`cl_seg.records.results.RunResult.training_regime`.
        scores_with_memory: True where test scores use what the strategy keeps, e.g. a network for
            every scanner; validation scores while training never do.
        scanner_names: scanner → display name.
        data: the store of slices.
        grid: grid of the store; None in older files.
        R: class, and ``mean`` of all, → accuracy matrix: a row for the untrained network and for
            each of N experiences, a column for each of S scanners in the order of their first
            visits; None where no case has the class and where the scanner was not tested.
        R_held_out: the same of the scanners that are held out, (N+1, H); empty without any.
        states: keys of its training stages; empty in older files.
        stages: cost of each stage.
        device, processor: device and processor that computed it.
        parameters: number of the network's parameters.
        slices: scanner → part of the split → number of slices.
        versions: package → version.
        git_commit: commit of the source; empty where it is not known.
        finished: time in ISO format, UTC.
    """

    run_id: Text
    suite: str
    key: str
    spec: RunSpec
    model: str
    strategy: str
    order_number: int
    place: tuple[int, ...]
    schedule: str
    scores_with_memory: bool = False
    scanner_names: dict[str, str]
    data: DataRecord
    grid: GridRecord | None = None
    R: dict[str, Rows]
    R_held_out: dict[str, Rows] = Field(default={}, exclude_if=lambda found: not found)
    states: tuple[str, ...] = ()
    stages: tuple[StageRow, ...]
    device: str
    processor: str
    parameters: int | None = None
    slices: dict[str, dict[str, int]] = Field(default={})
    versions: dict[str, str]
    git_commit: str
    finished: str = ""

    @property
    def is_joint(self) -> bool:
        """True for a run of one stage on all scanners."""
        return self.schedule == "joint"

    def with_scores(
        self, matrices: dict[str, Rows], *, order: Texts | None = None, classes: Texts | None = None
    ) -> "RunRecord":
        """The record as if R were another, of other scanners or classes."""
        changes = {"order": order or self.spec.order, "classes": classes or self.spec.classes}
        return self.model_copy(update={"R": matrices, "spec": self.spec.model_copy(update=changes)})

    def as_json(self) -> dict[str, Any]:
        """Content of its file, with the number of the schema."""
        return {"schema": SCHEMA, **self.model_dump(mode="json", exclude_unset=True)}


def read_record(path: Path) -> RunRecord:
    """Read the record of one run, of this or an older version.

    Raises:
        OSError: it cannot be read.
        ValueError: naming what is missing or wrong.
    """
    return _record(read_json(path))


def parse_record(text: str) -> RunRecord:
    """The record that a JSON text holds.

    Raises:
        ValueError: naming what is missing or wrong.
    """
    return _record(parse_json(text))


def recorded_key(folder: Path) -> str | None:
    """The key of the run whose record is in ``folder``; None without one that can be read."""
    try:
        return str(read_json(folder / RUN_FILE)["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def matrix_rows(matrix: npt.NDArray[np.float64]) -> Rows:
    """A matrix as records hold it, with None for NaN."""
    return tuple(tuple(None if np.isnan(v) else float(v) for v in row) for row in matrix)


def _record(raw: Any) -> RunRecord:
    record = parse_as(migrated(raw), RunRecord)
    order, scanners = record.spec.order, set(record.spec.order)
    if lacking := {"mean", *record.spec.classes} - record.R.keys():
        raise ValueError(f"R lacks {min(lacking)}")
    if any(len(row) != len(scanners) for matrix in record.R.values() for row in matrix):
        raise ValueError(f"R does not have a column for each of {len(scanners)} scanners")
    rows = 2 if record.is_joint else 1 + len(record.spec.months or order)
    is_stream = record.schedule != "seed_curve" and record.spec.update is None
    if is_stream and any(len(matrix) != rows for matrix in record.R.values()):
        raise ValueError(f"R does not have {rows} rows, one per stage and the untrained network")
    _check_held_out(record)
    if lacking := {*scanners, *record.spec.held_out} - record.scanner_names.keys():
        raise ValueError(f"scanner_names lacks {min(lacking)}")
    return record


def _check_held_out(record: RunRecord) -> None:
    held_out, matrices = record.spec.held_out, record.R_held_out
    if matrices.keys() != (record.R.keys() if held_out else set()):
        raise ValueError("R_held_out is not of the classes of R and the scanners held out")
    shape = (len(record.R["mean"]), len(held_out))
    if any((len(rows), len(row)) != shape for rows in matrices.values() for row in rows):
        raise ValueError(f"R_held_out does not have {shape[0]} rows of {shape[1]} scanners")
