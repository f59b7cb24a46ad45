"""The Slurm engine on a real Slurm of three nodes on this machine, one of which dies."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import cluster
from .cluster import Cluster, running_cluster
from .conftest import tiny_suite
from .crash import ROOT, results, strays

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(cluster.missing()), reason=cluster.missing() or "there is Slurm"),
]
STEPS = 3000


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("slurm")) as there:
        yield there


def start(folder: Path, environment: dict[str, str], *options: str) -> "subprocess.Popen[str]":
    """Start the suite in a folder of its own."""
    main = "import sys; from cl_seg.cli import main; main()"
    arguments = ["run", "suite.yaml", "--checkpoint-seconds", "0.2", *options]
    return subprocess.Popen(
        [sys.executable, "-c", main, *arguments],
        cwd=folder,
        env={**environment, "WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def status(folder: Path) -> str:
    """What `cl-seg status` says."""
    main = "import sys; from cl_seg.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", main, "status", "suite.yaml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def on_slurm(folder: Path, slurm: Cluster) -> "subprocess.Popen[str]":
    return start(folder, slurm.environment, "--engine", "slurm", "--partition", "test")


@pytest.fixture(scope="module")
def suite(store: Path) -> str:
    text = tiny_suite(store).replace("steps: 12", f"steps: {STEPS}")
    return "\n".join(line for line in text.splitlines() if "ewc" not in line)


@pytest.fixture(scope="module")
def expected(suite: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the suite gives on this machine without Slurm."""
    folder = new_folder(tmp_path_factory.mktemp("local"), suite)
    process = start(folder, dict(os.environ), "--workers", "2")
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    return results(folder)


def new_folder(folder: Path, suite: str) -> Path:
    (folder / "suite.yaml").write_text(suite)
    return folder


def trainings(folder: Path) -> dict[str, int]:
    """Steps done of the trainings under way, by key."""
    found = {}
    for path in (folder / "data" / "stages" / "partial").glob("*/progress.json"):
        found[path.parent.name] = int(json.loads(path.read_text())["step"])
    return found


def job_of(folder: Path, key: str) -> str:
    """The job that a stage was submitted with."""
    (listed,) = (folder / "data" / "stages" / "slurm").glob("*/jobs.json")
    jobs = json.loads(listed.read_text()).items()
    return next(job for job, noted in jobs if key in noted["stages"])


def wait_for(what: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def state_of(slurm: Cluster, job: str) -> str:
    return slurm.ask("squeue", "--noheader", "--array", f"--jobs={job}", "--format=%T").strip()


def start_again(slurm: Cluster, job: str) -> None:
    """Wait until Slurm has queued a job again, and spare it the two minutes it is held back."""
    wait_for(lambda: state_of(slurm, job) == "PENDING")
    slurm.ask("scontrol", "update", f"JobId={job}", "StartTime=now")


def test_a_node_dies_and_the_results_are_those_of_this_machine(
    slurm: Cluster, suite: str, expected: dict[str, object], tmp_path: Path
) -> None:
    folder = new_folder(tmp_path, suite)
    process = on_slurm(folder, slurm)
    wait_for(lambda: any(trainings(folder).values()))
    key, step = next((key, step) for key, step in trainings(folder).items() if step)
    job = job_of(folder, key)
    node = slurm.ask("squeue", "--noheader", "--array", f"--jobs={job}", "--format=%N").strip()
    slurm.kill(node)
    assert key in trainings(folder), "the node died in the middle of a training"
    start_again(slurm, job)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert 0 < step < STEPS and results(folder) == expected
    assert not strays(folder), strays(folder)
    slurm.start_node(node)


def test_the_command_is_killed_a_job_is_out_of_time_and_the_next_command_finds_it_all(
    slurm: Cluster, suite: str, expected: dict[str, object], tmp_path: Path
) -> None:
    folder = new_folder(tmp_path, suite)
    process = on_slurm(folder, slurm)
    wait_for(lambda: any(trainings(folder).values()))
    process.kill()
    process.communicate()
    assert "running: train" in status(folder), "without the command and without asking Slurm"
    key = next(iter(trainings(folder)))
    job = job_of(folder, key)
    slurm.ask("scancel", "--signal=USR2", job)  # what Slurm sends shortly before the time limit
    start_again(slurm, job)
    output, _ = on_slurm(folder, slurm).communicate(timeout=300)
    assert "jobs of an earlier call are still in the queue" in output
    assert results(folder) == expected
    assert not strays(folder), strays(folder)
    (listed,) = (folder / "data" / "stages" / "slurm").glob("*/jobs.json")
    assert listed.is_file(), "nothing was submitted again"


def test_wrong_partition_is_one_line(slurm: Cluster, suite: str, tmp_path: Path) -> None:
    folder = new_folder(tmp_path, suite)
    options = ("--engine", "slurm", "--partition", "nowhere")
    process = start(folder, slurm.environment, *options)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2 and "invalid partition" in output.lower()
    assert len(output.splitlines()) == 1, output
