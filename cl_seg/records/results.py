"""Reads the records of finished runs."""

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
from pydantic import Field

from cl_seg.files.json_file import in_form, parse_json, read_json
from cl_seg.messages.errors import InputError, one_line
from cl_seg.records.matrices import matrices_without

Matrix = npt.NDArray[np.float64]
CURVE = ("stage", "step", "scanner", "class", "dice")
PACKED = "runs.jsonl"
PLAN = "plan.json"
EXAMPLES = "examples.npz"
UNPACKED = 2**30
"""Bytes that the pictures of a run may take in memory (engineering value)."""
NEEDED = {"stage", "scanner", "patient", "class", "dice", "true"}
"""Columns without which scores say nothing."""
Text = Annotated[str, Field(min_length=1)]
Dice = Annotated[float, Field(ge=0, le=1)]


class DamagedResults(InputError):
    """Results are there, and cannot be read."""


@dataclass(frozen=True)
class SplitForm:
    """What every reader takes from how patients were split."""

    by: Text


@dataclass(frozen=True)
class TrainingForm:
    """What every reader takes from the training."""

    steps: int
    batch_size: int
    threads: int


@dataclass(frozen=True)
class SpecForm:
    """What every reader takes from a run's spec."""

    order: Annotated[list[Text], Field(min_length=1)]
    classes: Annotated[list[Text], Field(min_length=1)]
    seed: int
    learned_dice: dict[str, float]
    model: dict[str, Any]
    strategy: dict[str, Any]
    image: dict[str, Any]
    split: SplitForm
    training: TrainingForm


@dataclass(frozen=True)
class RecordForm:
    """What every reader takes from ``run.json``."""

    run_id: Text
    key: str
    model: str
    strategy: str
    joint: bool
    place: list[int]
    scanner_names: dict[str, str]
    spec: SpecForm
    R: dict[str, list[list[Dice | None]]]
    schedule: str = "sequential"
    versions: dict[str, str] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class RunResult:
    """One finished run.

    Attributes:
        folder: where its tables are, its own or one of packed results.
        record: what ``run.json`` holds.
        names: scanner → display name, of all results it was loaded with; empty: of its own.
    """

    folder: Path
    record: dict[str, Any]
    names: dict[str, str] = field(default_factory=dict)

    @property
    def order(self) -> list[str]:
        """Scanners in stream order."""
        return list(self.record["spec"]["order"])

    @property
    def classes(self) -> list[str]:
        """Names of the foreground classes."""
        return list(self.record["spec"]["classes"])

    @property
    def model(self) -> str:
        """Title of the network."""
        return str(self.record["model"])

    @property
    def strategy(self) -> str:
        """Title of the strategy."""
        return str(self.record["strategy"])

    @property
    def joint(self) -> bool:
        """True for a run of one stage on all scanners."""
        return bool(self.record["joint"])

    @property
    def schedule(self) -> str:
        """What its stages train on: sequential, joint, cumulative, single, or a seed_curve."""
        return str(self.record.get("schedule", "joint" if self.joint else "sequential"))

    @property
    def curve_is_scored_alike(self) -> bool:
        """False where the strategy has a part in test scores that the validation curve lacks."""
        return not self.record.get("scored_apart", False)

    @property
    def restarts(self) -> bool:
        """True where each stage trains from scratch on all scanners seen so far."""
        if self.schedule != "cumulative":
            return False
        return bool(self.record["spec"]["strategy"]["settings"].get("restart"))

    @property
    def short_names(self) -> dict[str, str]:
        """Scanner → the part of its display name before kernel and brackets, if that is unique.

        Of all scanners of the results it was loaded with, so that its runs name them alike.
        """
        full = self.names or self.record["scanner_names"]
        short = {s: re.split(r"[,(·]", name)[0].strip() for s, name in full.items()}
        return short if len({*short.values(), ""}) > len(short) else full

    @property
    def stamps(self) -> list[str]:
        """What every table and figure made from this run must say."""
        stamps = []
        if self.record["data"]["kind"] == "simulated":
            stamps.append("simulated scanners and bodies, no patient data")
        if self.record["spec"]["split"]["by"] == "within_case":
            stamps.append("split within cases, not a generalisation result")
        return stamps

    def matrix(self, name: str = "mean") -> Matrix:
        """R of one class, or of their mean; (N+1, N), for joint training (2, N)."""
        return np.array(self.record["R"][name], dtype=float)

    def of_class(self, name: str) -> "RunResult":
        """The run as if it had this class alone."""
        spec = {**self.record["spec"], "classes": [name]}
        matrices = {"mean": self.record["R"][name], name: self.record["R"][name]}
        view = replace(self, record={**self.record, "spec": spec, "R": matrices})
        view.__dict__["cases"] = self.cases
        return view

    @property
    def order_number(self) -> int:
        """Place of its order in the suite, from 1."""
        return next(iter(self.record["place"][2:]), 0) + 1

    @property
    def stream(self) -> str:
        """Its scanners by name, in stream order."""
        return " → ".join(self.short_names[scanner] for scanner in self.order)

    @property
    def bounds(self) -> dict[str, float]:
        """Dice of every class that counts as learned, ``learned_dice`` of the suite."""
        given: dict[str, float] = self.record["spec"]["learned_dice"]
        return {name: given.get(name, 0.0) for name in self.classes}

    def missed(self) -> list[tuple[str, str, float]]:
        """Scanner, class and Dice right after learning where that is below the suite's bound.

        Of joint training: after its only stage. NaN of a class that no test case has.
        """
        missing = []
        for name, bound in self.bounds.items():
            r = self.matrix(name)
            after = r[-1] if self.joint else r[1:].diagonal()
            missing += [
                (scanner, name, float(value))
                for scanner, value in zip(self.order, after, strict=True)
                if not value >= bound
            ]
        return missing

    def not_learned(self) -> list[str]:
        """The same as text, a scanner and class each."""
        return [
            f"{self.short_names[s]} {name} {'no test case' if np.isnan(dice) else f'{dice:.2f}'}"
            for s, name, dice in self.missed()
        ]

    @cached_property
    def cases(self) -> pd.DataFrame:
        """Per-case scores after every stage."""
        table = self._table("cases.parquet")
        if lacking := sorted(NEEDED - set(table.columns)):
            path = self.folder / "cases.parquet"
            raise DamagedResults(
                f"{path} lacks the column {lacking[0]}: remove its folder, run again"
            )
        for name in ("stage", "dice", "true"):
            if not pd.api.types.is_numeric_dtype(table[name]):
                path = self.folder / "cases.parquet"
                raise DamagedResults(
                    f"{path}: the column {name} holds no numbers: remove its folder, run again"
                )
        return table

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Test patients, in alphabetical order."""
        return tuple(sorted(map(str, self.cases["patient"].unique())))

    @cached_property
    def seen(self) -> npt.NDArray[np.bool_]:
        """(patients, scanners × structures): which of them every test patient was scored with."""
        cases = self.cases[self.cases["stage"] == self.cases["stage"].max()]
        cases = cases[(cases["true"] > 0) & cases["scanner"].isin(self.order)]
        patients = pd.Categorical(cases["patient"].astype(str), categories=self.patients)
        scanners = pd.Categorical(cases["scanner"], categories=self.order)
        structures = pd.Categorical(cases["class"], categories=self.classes)
        seen = np.zeros((len(self.patients), len(self.order), len(self.classes) + 1), bool)
        seen[patients.codes, scanners.codes, structures.codes] = True  # others' code is −1
        return seen[..., :-1].reshape(len(seen), -1)

    @cached_property
    def matrices_without(self) -> Matrix:
        """R as if each of the patients were not there, (patients, N+1, N)."""
        return matrices_without(self.cases, self.order, self.classes)

    @cached_property
    def curve(self) -> pd.DataFrame:
        """Validation Dice while training; no rows where nothing was validated."""
        none = pd.DataFrame(columns=list(CURVE))
        if not self.record["spec"]["training"].get("curve_every", 1):
            return none
        return self._table("curve.parquet", none)

    @cached_property
    def validation(self) -> pd.DataFrame:
        """Validation Dice while training, classes averaged: rows (stage, step), columns scanners.

        Scanners are in stream order; one that was not scored is left out.
        """
        dice = self.curve.groupby(["stage", "step", "scanner"])["dice"].mean().unstack("scanner")
        return dice.reindex(columns=[s for s in self.order if s in dice.columns])

    @cached_property
    def pseudo_values(self) -> dict[Callable[[Matrix], float], npt.NDArray[np.float64]]:
        """By score, what :mod:`cl_seg.analysis.intervals` has worked out of this run already."""
        return {}

    @cached_property
    def examples(self) -> dict[str, npt.NDArray[Any]]:
        """Slices to look at, as :mod:`cl_seg.suite.record` describes them; none if packed."""
        path = self.folder / EXAMPLES
        if not path.is_file():
            return {}
        try:
            with zipfile.ZipFile(path) as members:
                size = sum(member.file_size for member in members.infolist())
            if size > UNPACKED:
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
            found = _packed_table(path, path.stat().st_mtime_ns).get(self.record["run_id"], none)
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


@lru_cache(maxsize=4)
def _packed_table(path: Path, _changed: int) -> dict[str, pd.DataFrame]:
    table = _read_table(path)
    runs = table.groupby("run", sort=False)
    return {str(run): own.drop(columns="run").reset_index(drop=True) for run, own in runs}


def load_results(folder: Path) -> list[RunResult]:
    """Finished runs below ``folder/runs`` or packed in ``folder``, in the order of the suite.

    Where ``folder/plan.json`` says which runs the suite has now, and in which order, runs of an
    earlier version of it are left out.

    Raises:
        InputError: there is none, or a record is damaged.
    """
    plan, packed = read_plan(folder), Path(folder) / PACKED
    if packed.is_file():
        return load_packed(packed)
    results = []
    for path in sorted((Path(folder) / "runs").glob("*/run.json")):
        try:
            record = _checked(read_json(path))
            if not plan or plan.get(record["run_id"]) == record["key"]:
                results.append(RunResult(path.parent, record))
        except (OSError, ValueError) as error:
            raise DamagedResults(
                f"{path} is damaged ({error}): remove its folder, run again"
            ) from None
    if not results:
        if not Path(folder).is_dir():
            raise InputError(f"{folder} holds no finished run: there is no such folder")
        raise InputError(
            f"{folder} holds no finished run (runs/*/run.json): `cl-seg run` makes them"
        )
    # The place of a run is that in the suite it was computed for, which may have grown since.
    now = {run: number for number, run in enumerate(plan)}
    results.sort(key=lambda r: (now.get(r.record["run_id"], 0), r.record["place"]))
    return _named_alike(results)


def _named_alike(results: list[RunResult]) -> list[RunResult]:
    names = {k: v for result in results for k, v in result.record["scanner_names"].items()}
    return [replace(result, names=names) for result in results]


def load_packed(path: Path) -> list[RunResult]:
    """The runs of a file ``runs.jsonl``, in its order.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines:
            raise ValueError("it is empty")
        results = [RunResult(path.parent, _checked(parse_json(line))) for line in lines]
        counts = Counter(result.record["run_id"] for result in results)
        if twice := [run for run, count in counts.items() if count > 1]:
            raise ValueError(f"the run {twice[0]} is there {counts[twice[0]]} times")
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{path.parent} holds no packed results ({PACKED}): `cl-seg pack` makes them"
        ) from None
    except (OSError, ValueError) as error:
        raise DamagedResults(f"{path} is damaged ({error}): pack the results again") from None
    return _named_alike(results)


def _checked(raw: Any) -> dict[str, Any]:
    """A record as it was read, if it has the form.

    Raises:
        ValueError: naming what is missing or wrong.
    """
    form = in_form(raw, RecordForm)
    order = form.spec.order
    if lacking := {"mean", *form.spec.classes} - form.R.keys():
        raise ValueError(f"R lacks {min(lacking)}")
    if any(len(row) != len(order) for matrix in form.R.values() for row in matrix):
        raise ValueError(f"R does not have a column for each of {len(order)} scanners")
    rows = 2 if form.joint else 1 + len(order)
    if form.schedule != "seed_curve" and any(len(matrix) != rows for matrix in form.R.values()):
        raise ValueError(f"R does not have {rows} rows, one per stage and the untrained network")
    if lacking := set(order) - form.scanner_names.keys():
        raise ValueError(f"scanner_names lacks {min(lacking)}")
    record: dict[str, Any] = raw
    return record


def read_plan(folder: Path) -> dict[str, str]:
    """Run → key, as the suite was last planned; empty when it was not."""
    path = Path(folder) / PLAN
    if not path.is_file():
        return {}
    try:
        plan = dict(read_json(path))
        runs = plan.get("runs")  # older plans are run → key
        return {run["run_id"]: run["key"] for run in runs} if isinstance(runs, list) else plan
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} is damaged ({error}): `cl-seg run` writes it anew") from None
