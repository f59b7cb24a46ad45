"""What is kept of a run: run.json, cases.parquet, curve.parquet and examples.npz."""

import hashlib
import json
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cl_seg
from cl_seg.spec import StreamSuite
from cl_seg.suite.plan import Run

PACKAGES = ("torch", "monai", "avalanche-lib", "numpy")


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
    """Hash of the run's spec, its data and the versions of what computes it.

    Args:
        run: which run.
        suite: of which suite.
        content: content hash of the store.
    """
    what = {"spec": run_spec(run, suite), "data": content, "versions": versions()}
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def is_finished(folder: Path, key: str) -> bool:
    """True where ``folder`` holds the record of a run with this key."""
    try:
        return bool(json.loads((folder / "run.json").read_text())["key"] == key)
    except (OSError, ValueError, KeyError, TypeError):
        return False
