"""The engine that a user's choices lead to."""

from pathlib import Path

import pytest

from cl_seg.api.engines import Engine, Slurm, choose_engine
from cl_seg.api.processes import Processes
from cl_seg.messages.errors import InputError
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.engines.slurm import SlurmEngine

from ..gpus import install_gpus


def choose(engine: Engine, processes: Processes, device: str) -> tuple[object, list[str]]:
    said: list[str] = []
    return choose_engine(engine, processes, [device], 1, 30.0, said.append), said


@pytest.fixture(autouse=True)
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_gpus(monkeypatch, tmp_path, "Some GPU", "Some GPU")


def test_it_is_told_how_many_gpus_are_used() -> None:
    assert choose("local", Processes(per_gpu=2), "cuda")[1] == [
        "on 2 GPUs (0, 1), 2 processes each"
    ]
    assert choose("local", Processes(), "cuda:1")[1] == ["on 1 GPU (1), 1 process each"]
    (said,) = choose("local", Processes(8), "cuda")[1]
    assert said.endswith("1 process each; more with --per-gpu, --workers is for the CPU")
    assert not choose("local", Processes(2), "cpu")[1]


def test_this_process_may_compute_on_a_gpu() -> None:
    assert isinstance(choose("local", Processes(0), "cuda:1")[0], SingleEngine)


@pytest.mark.parametrize(
    "slurm", [Slurm(gres="gpu:1"), Slurm(sbatch=["gpus=1"]), Slurm(sbatch={"gpus-per-node": "1"})]
)
def test_a_job_that_asks_for_a_gpu(slurm: Slurm) -> None:
    assert isinstance(choose(slurm, Processes(), "cuda")[0], SlurmEngine)


def test_a_job_that_asks_for_no_gpu_computes_none_of_a_suite_on_a_gpu() -> None:
    with pytest.raises(InputError, match=r"give `gres` \(--gres gpu:1\)"):
        choose(Slurm(), Processes(), "cuda")
    assert isinstance(choose(Slurm(), Processes(), "cpu")[0], SlurmEngine)
    with pytest.raises(InputError, match="are for GPUs of this machine"):
        choose(Slurm(gres="gpu:1"), Processes(per_gpu=2), "cuda")
