"""The sbatch script is shown before anything is queued."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cl_seg.cli import app
from cl_seg.messages.errors import InputError
from cl_seg.planning.environment import kernel_target_of
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.slurm import SlurmEngine
from cl_seg.suite.engines.slurm_queue import Resources

ENGINE = SlurmEngine(Resources("gpu", "gpu:1", 90, 2, {"account": "lab"}), 5, 30.0, print)


def test_the_script_has_the_options_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sbatch", "srun", "squeue"):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text("#!/bin/sh\nexit 1\n")
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    script = ENGINE.script(StageCache(tmp_path / "stages"))
    options = ("partition=gpu", "gres=gpu:1", "time=90", "cpus-per-task=2", "account=lab")
    for option in (*options, "requeue", "job-name=cl_seg-NAME"):
        assert f"#SBATCH --{option}\n" in script, script
    assert "export OMP_NUM_THREADS=2" in script and "submitit.core._submit" in script
    assert not (tmp_path / "stages").exists()


def test_without_slurm_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="sbatch, srun, squeue not found"):
        ENGINE.script(StageCache(tmp_path / "stages"))


def test_it_is_of_slurm_alone() -> None:
    error = CliRunner().invoke(app, ["run", "suite.yaml", "--show-script"]).exception
    assert isinstance(error, InputError) and "--show-script are for --engine slurm" in str(error)


def test_a_node_says_what_processor_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(app, ["processor"]).output == kernel_target_of("cpu") + "\n"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    error = CliRunner().invoke(app, ["processor", "cuda"]).exception
    assert isinstance(error, InputError) and "no GPU" in str(error)
