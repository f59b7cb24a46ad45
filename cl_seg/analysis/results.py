"""Reads the records of finished runs."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cl_seg.analysis.matrices import matrices_without
from cl_seg.files import InputError

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RunResult:
    """One finished run.

    Attributes:
        folder: where its record is.
        record: what ``run.json`` holds.
    """

    folder: Path
    record: dict[str, Any]

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
        """What its stages train on: sequential, joint, cumulative or single."""
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
        """Scanner → the part of its display name before kernel and brackets, if that is unique."""
        full: dict[str, str] = self.record["scanner_names"]
        short = {s: re.split(r"[,(·]", name)[0].strip() for s, name in full.items()}
        return short if len(set(short.values())) == len(short) else full

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
        view = RunResult(self.folder, {**self.record, "spec": spec, "R": matrices})
        view.__dict__["cases"] = self.cases
        return view

    def not_learned(self) -> list[str]:
        """Scanner and class pairs whose Dice right after learning is below the suite's bound."""
        bounds: dict[str, float] = self.record["spec"]["learned_dice"]
        missing = []
        for name in self.classes:
            r = self.matrix(name)
            after = r[-1] if self.joint else r[1:].diagonal()
            missing += [
                f"{self.short_names[scanner]} {name} {value:.2f}"
                for scanner, value in zip(self.order, after, strict=True)
                if not value >= bounds.get(name, 0.0)
            ]
        return missing

    @cached_property
    def cases(self) -> pd.DataFrame:
        """Per-case scores after every stage."""
        return _read_table(self.folder / "cases.parquet")

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Test patients, in alphabetical order."""
        return tuple(sorted(map(str, self.cases["patient"].unique())))

    @cached_property
    def matrices_without(self) -> Matrix:
        """R as if each of the patients were not there, (patients, N+1, N)."""
        return matrices_without(self.cases, self.order, self.classes)

    @cached_property
    def curve(self) -> pd.DataFrame:
        """Validation Dice while training."""
        return _read_table(self.folder / "curve.parquet")

    @cached_property
    def examples(self) -> dict[str, npt.NDArray[Any]]:
        """Slices to look at, as :mod:`cl_seg.suite.record` describes them."""
        with np.load(self.folder / "examples.npz", allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def _read_table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is missing or damaged ({error}): remove its folder, run again"
        ) from None


def load_results(folder: Path) -> list[RunResult]:
    """Finished runs below ``folder/runs``, in the order of the suite.

    Where ``folder/plan.json`` says which runs the suite has now, runs of an earlier version of it
    are left out.

    Raises:
        InputError: there is none, or a record is damaged.
    """
    plan = read_plan(folder)
    results = []
    for path in sorted((Path(folder) / "runs").glob("*/run.json")):
        try:
            record = json.loads(path.read_text())
            if not plan or plan.get(record["run_id"]) == record["key"]:
                results.append(RunResult(path.parent, record))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is damaged ({error}): remove its folder, run again") from None
    if not results:
        raise InputError(
            f"{folder} holds no finished run (runs/*/run.json): `cl-seg run` makes them"
        )
    return sorted(results, key=lambda r: tuple(r.record["place"]))


def read_plan(folder: Path) -> dict[str, str]:
    """Run → key, as the suite was last planned; empty when it was not."""
    path = Path(folder) / "plan.json"
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}): `cl-seg run` writes it anew") from None
