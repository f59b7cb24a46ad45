"""The device that a suite's ``device`` is in this process, with a stand-in for torch's answers."""

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.runtime.torch_setup import pick_device

from ..gpus import let_torch_see_gpus


@pytest.mark.parametrize(
    ("wanted", "seen", "device"),
    [
        ("auto", 0, "cpu"),
        ("cpu", 4, "cpu"),
        ("auto", 4, "cuda:0"),
        ("cuda", 1, "cuda:0"),
        ("cuda:3", 4, "cuda:3"),
        ("cuda:3", 1, "cuda:0"),
    ],
)
def test_a_device(monkeypatch: pytest.MonkeyPatch, wanted: str, seen: int, device: str) -> None:
    let_torch_see_gpus(monkeypatch, seen)
    assert str(pick_device(wanted)) == device


def test_cuda_is_the_current_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    current = let_torch_see_gpus(monkeypatch, 4)
    pick_device("cuda:2")
    assert current[-1] == 2 and str(pick_device("cuda")) == "cuda:2"


@pytest.mark.parametrize(
    ("wanted", "seen", "told"), [("cuda", 0, "sees no GPU"), ("cuda:4", 4, "sees 4 GPUs")]
)
def test_a_gpu_that_torch_does_not_see(
    monkeypatch: pytest.MonkeyPatch, wanted: str, seen: int, told: str
) -> None:
    let_torch_see_gpus(monkeypatch, seen)
    with pytest.raises(InputError, match=f"device is {wanted}, but torch {told}"):
        pick_device(wanted)
