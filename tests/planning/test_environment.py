from collections.abc import Iterator
from pathlib import Path

import pytest

from cl_seg.planning import environment
from cl_seg.planning.environment import device_name, kernel_target_of, versions

CPU = "processor: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU\nflags\t\t: fpu {flags}\n\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine whose CPU and GPUs are files of a test."""
    monkeypatch.setattr(environment, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(environment, "NVIDIA", tmp_path / "gpus")
    monkeypatch.setattr(environment, "DEVICES", tmp_path / "dev")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    environment._cpuinfo.cache_clear()
    yield tmp_path
    environment._cpuinfo.cache_clear()


def with_gpu(machine: Path, model: str = "Some GPU") -> None:
    (machine / "gpus" / "0000:01:00.0").mkdir(parents=True)
    (machine / "dev").mkdir()
    (machine / "dev" / "nvidia0").write_text("")
    information = machine / "gpus" / "0000:01:00.0" / "information"
    information.write_text(f"Model: \t\t {model}\nIRQ: 11\n")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("avx2 avx512f", "avx512f"),
        ("sse avx2", "avx2"),
        ("sse", "baseline"),
        ("amx_bf16 avx2 avx512f avx512_bf16", "avx512f avx512_bf16 amx_bf16"),
    ],
)
def test_vector_instructions_of_the_processor(machine: Path, flags: str, expected: str) -> None:
    (machine / "cpuinfo").write_text(CPU.format(flags=flags))
    assert kernel_target_of("cpu").endswith(f"GenuineIntel {expected}")


def test_a_processor_nothing_is_known_of(machine: Path) -> None:
    assert kernel_target_of("cpu").endswith("baseline")


def test_instructions_chosen_by_the_user(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    assert kernel_target_of("cpu").endswith("default")


def test_a_gpu_is_taken_where_there_is_one(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "versions", lambda: {"torch": "2.13.0"})
    assert device_name("auto") == "cpu"
    with_gpu(machine)
    assert device_name("auto") == "cuda" and device_name("cpu") == "cpu"
    assert kernel_target_of("cuda") == "Some GPU"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert device_name("auto") == "cpu"


def test_torch_without_gpu_support_stays_on_the_cpu(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpu(machine)
    monkeypatch.setattr(environment, "versions", lambda: {"torch": "2.13.0+cpu"})
    assert device_name("auto") == "cpu"


def test_versions_name_what_computes() -> None:
    assert versions().keys() == {"torch", "monai", "avalanche-lib", "numpy", "scipy"}
