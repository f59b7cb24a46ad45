"""Records and results of runs that were never trained."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cl_seg.records.record import RUN_FILE, RunRecord, matrix_rows, parse_record
from cl_seg.records.results import RunResult
from cl_seg.records.tables import CASES, CURVE, EXAMPLES, InMemoryTables, no_curve

ORDER = ["a", "b"]
NAIVE = [[0.1, 0.2], [0.9, 0.5], [0.6, 0.8]]


def run_record(r: Any = NAIVE, /, **changes: Any) -> RunRecord:
    """A record with the R of every class and their mean, and of its spec and fields some others."""
    model, strategy = changes.get("model", "VNet"), changes.get("strategy", "Naive")
    spec: dict[str, Any] = {
        "order": list("abcd"[: np.shape(r)[1]]),
        "model": {"name": model.lower(), "label": model.lower(), "preset": "small"},
        "learning_rate": 0.01,
        "strategy": {"name": strategy.lower()},
        "seed": 0,
        "classes": ["liver"],
        "split": {"by": "patient"},
        "image": {"size": 16},
        "training": {"steps": 5, "batch_size": 2, "threads": 1},
        "learned_dice": {"liver": 0.8},
        **changes.pop("spec", {}),
    }
    order, stages = spec["order"], range(1, len(r))
    content = {
        "schema": 2,
        "run_id": f"{model}-{strategy}",
        "suite": "hand <made>",
        "key": "key",
        "spec": spec,
        "model": model,
        "strategy": strategy,
        "order_number": 1,
        "place": [0, 0, 0, 0],
        "schedule": "joint" if len(r) == 2 and len(order) > 1 else "sequential",
        "scanner_names": {s: f"Scanner {s.upper()} (simulated)" for s in order},
        "data": {"content": "0" * 64, "kind": "simulated"},
        "R": dict.fromkeys(["mean", *spec["classes"]], r),
        "stages": [
            {"position": i, "selection": "x", "steps": 5, "train_seconds": 1.0, "test_seconds": 1.0}
            for i in stages
        ],
        "device": "cpu",
        "processor": "p",
        "versions": {"torch": "2"},
        "git_commit": "abc",
        **changes,
    }
    content["R"] = {k: matrix_rows(np.array(m, float)) for k, m in content["R"].items()}
    return parse_record(json.dumps(content))


def run_result(
    r: Any = NAIVE,
    /,
    cases: pd.DataFrame | None = None,
    curve: pd.DataFrame | None = None,
    **changes: Any,
) -> RunResult:
    """A run whose tables are in memory; ``changes`` as for :func:`run_record`."""
    record = run_record(r, **changes)
    cases = cases_of(record) if cases is None else cases
    return RunResult(record, InMemoryTables(cases, no_curve() if curve is None else curve))


def changed(result: RunResult, **changes: Any) -> RunResult:
    """A run with other fields of its record, the tables the same."""
    return RunResult(result.record.model_copy(update=changes), result.tables, result.names)


def cases_of(record: RunRecord) -> pd.DataFrame:
    """Scores of one patient with the Dice of R in every class."""
    tested = [(record.R["mean"], record.spec.order)]
    if record.spec.held_out:
        tested.append((record.R_held_out["mean"], record.spec.held_out))
    return pd.DataFrame([
        {"stage": i, "scanner": s, "patient": "p", "case": f"p@{s}", "class": name, "overlap": 1,
         "predicted": 1, "true": 1, "dice": r[i][j], "hd95_mm": 1.0, "assd_mm": 1.0,
         "missed": False, "false_positive_cm2": 0.0}
        for r, scanners in tested
        for i in range(len(r))
        for j, s in enumerate(dict.fromkeys(scanners))
        for name in record.spec.classes
        if record.spec.evaluate == "all" or r[i][j] is not None
    ])  # fmt: skip


def curve_of(record: RunRecord) -> pd.DataFrame:
    """A validation Dice of 0.5 after the last step of every stage."""
    return pd.DataFrame([
        {"stage": i, "step": 5, "scanner": s, "class": name, "dice": 0.5}
        for i in range(1, len(record.R["mean"]))
        for s in record.spec.order
        for name in record.spec.classes
    ])  # fmt: skip


def examples_of(order: Sequence[str]) -> dict[str, np.ndarray]:
    """A square on every scanner."""
    square = np.zeros((16, 16), np.uint8)
    square[4:12, 4:12] = 1
    shown = {f"{s}/{k}": square for s in order for k in ("image", "truth", "first", "last")}
    for name in (f"{s}/ranked/{k}" for s in order for k in ("learned", "last")):
        shown[name] = np.broadcast_to(square, (3, 3, 16, 16))
        shown[f"{name}/dice"] = np.array([0.1, 0.5, np.nan])
    return shown


def write_record(folder: Path, result: RunResult) -> None:
    """Write record and tables of a run, without pictures unless it has some."""
    folder.mkdir(parents=True)
    result.cases.to_parquet(folder / CASES)
    result.curve.to_parquet(folder / CURVE)
    if result.examples:
        np.savez_compressed(folder / EXAMPLES, **result.examples)
    (folder / RUN_FILE).write_text(json.dumps(result.record.as_json()))


def write_run(results: Path, strategy: str, r: Any = NAIVE, /, **changes: Any) -> Path:
    """Write a whole run below ``results/runs``, named by its strategy, and return its folder."""
    place = [0, len(list(results.glob("runs/*"))), 0, 0]
    given = {"run_id": strategy, "key": strategy.lower(), "strategy": strategy, "place": place}
    spec = {"strategy": {"name": strategy.lower()}, **changes.pop("spec", {})}
    record = run_record(r, spec=spec, **(given | changes))
    tables = InMemoryTables(cases_of(record), curve_of(record), examples_of(record.spec.order))
    folder = results / "runs" / strategy
    write_record(folder, RunResult(record, tables))
    return folder


def in_record(folder: Path, *path: str | int, value: Any) -> None:
    """Change a field of a run's file, whether that makes sense or not."""
    file = folder / RUN_FILE
    content = json.loads(file.read_text())
    part = content
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    file.write_text(json.dumps(content))


def held_out(r: Any = ((0.0,), (0.5,), (0.4,)), names: str = "z", learned: str = "ab") -> Any:
    """Changes of a record that hold out scanners with this R."""
    scanners = [*learned, *names]
    return {
        "spec": {"held_out": list(names)},
        "R_held_out": dict.fromkeys(["mean", "liver"], r),
        "scanner_names": {s: f"Scanner {s.upper()} (simulated)" for s in scanners},
    }
