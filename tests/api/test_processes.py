"""Which processes are started for a suite, on cores or on GPUs."""

from pathlib import Path

import pytest

from cl_seg.api.processes import Processes
from cl_seg.messages.errors import InputError

from ..gpus import install_gpus


@pytest.fixture(autouse=True)
def four_gpus_and_eight_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_gpus(monkeypatch, tmp_path, *["Some GPU"] * 4)
    monkeypatch.setattr("cl_seg.api.processes.CORES", 8)


@pytest.mark.parametrize(
    ("processes", "device", "started"),
    [
        (Processes(), "cpu", [""] * 4),
        (Processes(3), "cpu", [""] * 3),
        (Processes(), "cuda", ["0", "1", "2", "3"]),
        (Processes(8), "cuda", ["0", "1", "2", "3"]),
        (Processes(), "cuda:1", ["1"]),
        (Processes(per_gpu=3), "cuda:1", ["1", "1", "1"]),
        (Processes(gpus=[2, 0]), "cuda", ["2", "0"]),
        (Processes(gpus=[0, 2], per_gpu=2), "cuda", ["0", "2", "0", "2"]),
    ],
)
def test_one_process_per_gpu_unless_asked_otherwise(
    processes: Processes, device: str, started: list[str]
) -> None:
    assert processes.devices([device], threads=2) == started


def test_numbers_count_what_the_environment_leaves_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-11aa,2")
    assert Processes(gpus=[0, 1]).devices(["cuda"], 1) == ["3", "GPU-11aa"]
    assert Processes().devices(["cuda:2"], 1) == ["2"]


@pytest.mark.parametrize(
    ("processes", "device", "told"),
    [
        (Processes(-1), "cpu", "workers is -1"),
        (Processes(gpus=[0]), "cpu", "computed on the CPU"),
        (Processes(per_gpu=2), "cpu", "computed on the CPU"),
        (Processes(0, per_gpu=2), "cuda", "workers is 0, .*cuda:N"),
        (Processes(per_gpu=0), "cuda", "per_gpu is 0"),
        (Processes(gpus=[0, 4]), "cuda", r"`gpus` is \[0, 4\].*\[0, 1, 2, 3\]"),
        (Processes(gpus=[-1]), "cuda", r"`gpus` is \[-1\]"),
        (Processes(gpus=[]), "cuda", "expected some of the GPUs"),
        (Processes(gpus=[0]), "cuda:1", "the suite names a GPU itself"),
    ],
)
def test_what_does_not_go_together_is_refused(processes: Processes, device: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        processes.devices([device], threads=1)


@pytest.mark.parametrize("devices", [["cuda", "cpu"], ["cuda:0", "cuda:1"]])
def test_suites_for_different_devices_are_run_one_by_one(devices: list[str]) -> None:
    with pytest.raises(InputError, match=f"suites for {devices[0]} and {devices[1]} in one"):
        Processes().devices(devices, threads=1)
