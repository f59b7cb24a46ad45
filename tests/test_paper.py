"""``make paper`` on scanners of one's own: unattended, resumable, the same a second time."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.suite.conftest import write_store
from tests.test_docs import commands, follow

ROOT = Path(__file__).parents[1]
LABELS = {"vnet": "VNet", "unet": "UNet", "unetr": "UNETR", "swin_unetr": "Swin-UNETR"}
STAND_INS = [
    f'{{name: "tiny_network:build", label: {label}, learning_rate: 0.05}}'
    for label in LABELS.values()
]
SMALLER = [
    (r"size: \d+", "size: 32"),
    (r"steps: \d+", "steps: 2"),
    (r"seeds: .*", "seeds: [0]"),
    (r"orders: .*", "orders: as_listed"),
    (r"models: \[vnet, unet, unetr, swin_unetr\]", f"models: [{', '.join(STAND_INS)}]"),
    *((rf"^ +{name}: {{", f"      {label}: {{") for name, label in LABELS.items()),
]
SUITES = {file.stem for file in (ROOT / "experiments/paper/full").glob("*.yaml")}


def project(folder: Path) -> Path:
    """The Makefile and the suites of the study, two steps and one seed each, on tiny networks."""
    shutil.copytree(ROOT / "experiments/paper", folder / "experiments/paper")
    shutil.copy(ROOT / "tests/suite/tiny_network.py", folder / "experiments/paper")
    for file in (folder / "experiments/paper").glob("*.yaml"):
        text = file.read_text()
        for pattern, smaller in SMALLER:
            text = re.sub(pattern, smaller, text, flags=re.MULTILINE)
        file.write_text(text)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(Path(sys.executable).parent)
    (folder / ".venv/ready").touch()
    return folder


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["make", "paper", f"DATA={folder / 'own.store'}", "RESULTS=results/paper"],
        cwd=folder,
        env={**os.environ, "WANDB_MODE": "disabled"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


@pytest.mark.slow
def test_the_study_on_scanners_of_ones_own(tmp_path: Path) -> None:
    folder = project(tmp_path)
    write_store(folder / "own.store", patients=30)
    mine = folder / "results/paper"

    killed = start(folder)
    while not list(mine.glob("table_liver/runs/*/run.json")) and killed.poll() is None:
        time.sleep(0.1)
    os.killpg(killed.pid, signal.SIGKILL)
    output, _ = killed.communicate(timeout=60)
    assert list(mine.glob("table_liver/runs/*/run.json")), output

    process = start(folder)
    output, _ = process.communicate(timeout=1200)
    assert process.returncode == 0, output
    assert {path.name for path in mine.iterdir() if path.is_dir()} == SUITES - {"development"}
    for suite in SUITES - {"development"}:
        assert (mine / suite / "report.html").stat().st_size > 10_000
        assert (mine / suite / "tables").is_dir() or list((mine / suite).glob("*.tex"))
    claims = json.loads((mine / "claims.json").read_text())
    assert [claim["claim"] for claim in claims] == ["C1", "C2", "C3", "C4", "C5", "N1", "N2"], (
        claims
    )

    before = contents(mine)
    again = start(folder)
    output, _ = again.communicate(timeout=600)
    assert again.returncode == 0, output
    assert contents(mine) == before, "a re-run changes nothing"

    sides = {"A": f"{mine}/forgetting", "B": f"{mine}/augmentation_ablation"}
    for line in commands(ROOT / "docs/how-to/claims.md"):
        follow([sides.get(word, word) for word in line], folder)
