"""What is kept of a run: run.json, cases.parquet, curve.parquet and examples.npz."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cl_seg
from cl_seg.analysis.matrices import accuracy_matrices
from cl_seg.files import new_folder, write_json
from cl_seg.scans.store import Header
from cl_seg.spec import StreamSuite
from cl_seg.suite.plan import Run
from cl_seg.suite.source import TRAINING_ROOMS, source_hash

FILES = ("run.json", "cases.parquet", "curve.parquet", "examples.npz")
PACKAGES = ("torch", "monai", "avalanche-lib", "numpy")


@dataclass
class Outcome:
    """What a run has measured so far; ``cases`` and ``curve`` become tables."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    examples: dict[str, Any] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Record:
    """A finished run: what it was, on which store, what it measured, and where.

    Attributes:
        run: which run.
        suite: of which suite.
        header: of the store.
        outcome: what was measured.
        about: device, processor, number of parameters, slices per scanner and part.
    """

    run: Run
    suite: StreamSuite
    header: Header
    outcome: Outcome
    about: dict[str, Any]


def versions() -> dict[str, str]:
    """Versions of the packages that determine numbers."""
    return {"cl_seg": cl_seg.__version__, **{name: version(name) for name in PACKAGES}}


def git_commit() -> str:
    """Commit of the source tree, marked when it has changes; "" outside a repository."""
    root = Path(cl_seg.__file__).parents[1]

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        return commit + (" with changes" if commit and git("status", "--porcelain") else "")
    except OSError:
        return ""


def run_spec(run: Run, suite: StreamSuite) -> dict[str, Any]:
    """Everything of the suite that determines one run's result, JSON-serialisable."""
    return {
        "order": list(run.order),
        "model": run.model.model_dump(mode="json"),
        "learning_rate": run.learning_rate,
        "strategy": run.strategy.model_dump(mode="json"),
        "seed": run.seed,
        "classes": suite.classes,
        "split": suite.split.model_dump(mode="json"),
        "image": suite.image.model_dump(mode="json"),
        "training": suite.training.model_dump(mode="json"),
        "learned_dice": suite.learned_dice,
    }


def run_key(run: Run, suite: StreamSuite, content: str) -> str:
    """Hash of the run's spec, its data, and the versions and source of what computes it.

    Args:
        run: which run.
        suite: of which suite.
        content: content hash of the store.
    """
    what = {
        "spec": run_spec(run, suite),
        "data": content,
        "versions": versions(),
        "source": source_hash(*TRAINING_ROOMS),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def is_finished(folder: Path, key: str) -> bool:
    """True where ``folder`` holds the record of a run with this key."""
    if not all((folder / name).is_file() for name in FILES):
        return False
    try:
        return bool(json.loads((folder / "run.json").read_text())["key"] == key)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_record(folder: Path, record: Record) -> None:
    """Write a run's record to ``folder``, replacing an older one."""
    run, suite, header, outcome = record.run, record.suite, record.header, record.outcome
    cases = pd.DataFrame(outcome.cases)
    curve = pd.DataFrame(outcome.curve, columns=["stage", "step", "scanner", "class", "dice"])
    matrices = accuracy_matrices(cases, list(run.order), suite.classes)
    content = {
        "run_id": run.run_id,
        "suite": suite.name,
        "key": run_key(run, suite, header.content),
        "spec": run_spec(run, suite),
        **run.titles,
        "place": run.place,
        "joint": run.joint,
        "scanner_names": {s: header.scanners[s] for s in run.order},
        "data": {"content": header.content, "kind": header.provenance.get("kind", "scans")},
        "R": {name: _json_matrix(r) for name, r in matrices.items()},
        "stages": outcome.stages,
        **record.about,
        "versions": versions(),
        "git_commit": git_commit(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    finished = folder.with_name(f".{folder.name}.finished")
    shutil.rmtree(finished, ignore_errors=True)
    with new_folder(finished) as building:
        cases.to_parquet(building / "cases.parquet", index=False)
        curve.to_parquet(building / "curve.parquet", index=False)
        np.savez_compressed(building / "examples.npz", **outcome.examples)
        write_json(building / "run.json", content)
    shutil.rmtree(folder, ignore_errors=True)
    finished.replace(folder)


def _json_matrix(r: Any) -> list[list[float | None]]:
    return [[None if np.isnan(v) else float(v) for v in row] for row in r]
