"""Kills a running suite at random moments and starts it again, until enough kills are survived.

    python -m tests.suite.crash --kills 100

Checks after every kill that no finished stage is computed again, and after every round that the
results are those of an undisturbed run, bit for bit, and that nothing half-written is left.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from cl_seg.records.record import read_record

ROOT = Path(__file__).parents[2]
ENDED = re.compile(r"^(\d+)/(\d+) ", re.M)


def command(folder: Path) -> list[str]:
    """The suite on two workers, with a checkpoint after nearly every step."""
    main = "import sys; from cl_seg.cli import main; main()"
    options = ["--workers", "2", "--checkpoint-seconds", "0.05"]
    return [sys.executable, "-c", main, "run", str(folder / "suite.yaml"), *options]


def start(folder: Path) -> "subprocess.Popen[str]":
    """Start the suite as a process group of its own, in a folder of its own."""
    settings = {"WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command(folder),
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def results(folder: Path) -> dict[str, object]:
    """Everything measured: R, case scores and curves of every run."""
    found: dict[str, object] = {}
    for run in sorted((folder / "results" / "tiny" / "runs").iterdir()):
        found[f"{run.name} R"] = read_record(run / "run.json").R
        for name in ("cases", "curve"):
            table = pd.read_parquet(run / f"{name}.parquet")
            found[f"{run.name} {name}"] = table.to_csv(index=False, float_format="%r")
    return found


def strays(folder: Path) -> list[str]:
    """Files and folders that only unfinished work has."""
    hidden = [str(p) for p in folder.rglob(".*")]
    return hidden + [str(p) for p in (folder / "data" / "stages" / "partial").glob("*")]


def finished(folder: Path) -> dict[str, int]:
    """Finished stages and when they were written."""
    places = (folder / "data" / "stages").glob("??/*/stage.json")
    return {path.parent.name: path.stat().st_mtime_ns for path in places}


def kill_once(folder: Path, seconds: float) -> bool:
    """Start the suite and kill its process group after a while; False when it ended before."""
    before = finished(folder)
    process = start(folder)
    try:
        output, _ = process.communicate(timeout=seconds)
        killed = False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        killed = True
    assert killed or process.returncode == 0, output
    totals = {int(total) for _, total in ENDED.findall(output)}
    after = finished(folder)
    assert before.items() <= after.items(), "a finished stage was written again"
    if totals and before:
        (total,) = totals
        assert total + len(before) == len(plan(folder)), "finished stages were planned again"
    return killed


def plan(folder: Path) -> dict[str, object]:
    """The stages of the suite."""
    main = "import sys; from cl_seg.cli import main; main()"
    arguments = ["plan", str(folder / "suite.yaml"), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", main, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    stages: dict[str, object] = json.loads(done.stdout)["stages"]
    return stages


def survive(suite: str, kills: int, seed: int = 0) -> int:
    """Kill and start again, in as many rounds as the kills need; returns the number of kills."""
    draw, done = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as top:
        undisturbed = new_round(Path(top), "undisturbed", suite)
        started = time.monotonic()
        assert not kill_once(undisturbed, 600)
        whole = time.monotonic() - started
        expected, rounds = results(undisturbed), 0
        while done < kills:
            folder = new_round(Path(top), f"round{rounds}", suite)
            rounds += 1
            while kill_once(folder, draw.uniform(0.2, 1) * whole if done < kills else 600):
                done += 1
                print(f"{done} kills, {len(finished(folder))} stages finished", flush=True)
            assert results(folder) == expected, "results differ from the undisturbed run"
            assert not strays(folder), strays(folder)
    return done


def new_round(top: Path, name: str, suite: str) -> Path:
    """A folder with the suite and nothing else."""
    (top / name).mkdir()
    (top / name / "suite.yaml").write_text(suite)
    return top / name


def main() -> None:
    """Run with a suite of the test store."""
    from .conftest import tiny_suite, write_store

    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        suite = tiny_suite(write_store(Path(folder) / "tiny.store"))
        suite = suite.replace("steps: 12", "steps: 150")
        kills = survive(suite, arguments.kills, arguments.seed)
    print(f"survived {kills} kills")


if __name__ == "__main__":
    main()
