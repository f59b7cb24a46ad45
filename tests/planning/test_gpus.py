"""GPUs found by files and environment."""

from pathlib import Path

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.planning import gpus
from cl_seg.planning.gpus import gpu_model, gpus_of, require_gpu, visible_gpus

from ..gpus import install_gpus


@pytest.fixture
def four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_gpus(monkeypatch, tmp_path, *["Some GPU"] * 4)


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("variable", "seen"),
    [
        (None, ["0", "1", "2", "3"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("3", ["3"]),
        ("2, 0", ["2", "0"]),
        ("1,-1,2", ["1"]),
        ("0,7,1", ["0"]),
        ("GPU-11aa,MIG-5", ["GPU-11aa", "MIG-5"]),
    ],
)
def test_what_cuda_hides_is_not_seen(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, seen: list[str]
) -> None:
    if variable is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
    assert visible_gpus() == seen


@pytest.mark.usefixtures("four")
def test_torch_without_gpu_support_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "version", lambda _: "2.13.0+cpu")
    assert visible_gpus() == []


@pytest.mark.usefixtures("four")
def test_a_number_counts_the_visible_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpus_of("cuda") == gpus_of("auto") == ["0", "1", "2", "3"]
    assert gpus_of("cuda:1") == ["1"] and gpus_of("cuda:4") == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,2")
    assert gpus_of("cuda:1") == ["2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert gpus_of("cuda:1") == ["2"], "a worker sees only the GPU it was given"


@pytest.mark.usefixtures("four")
def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    require_gpu("cuda:3")
    with pytest.raises(InputError, match=r"device is cuda:4, but this machine has 4 GPUs"):
        require_gpu("cuda:4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match=r"has no GPU that torch can use: .*`device: cpu`"):
        require_gpu("cuda")


def test_gpus_of_several_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_gpus(monkeypatch, tmp_path, "Large", "Large", "Display")
    assert gpu_model("cuda:0") == gpu_model("cuda:1") == "Large"
    assert gpu_model("cuda:2") == "Display"
    with pytest.raises(InputError, match=r"several models \(Large, Display\).*write `device: cuda"):
        gpu_model("cuda")
    for variable, model in (("0,1", "Large"), ("2", "Display"), ("GPU-22", "Display")):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
        assert gpu_model("cuda") == model


def test_a_gpu_whose_driver_has_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_gpus(monkeypatch, tmp_path)
    (tmp_path / "dev" / "dxg").write_text("")
    assert visible_gpus() == ["0"] and gpu_model("cuda") == ""
