"""Stand-ins for the GPUs of a machine: the files that planning looks at, and torch's answers."""

from pathlib import Path

import pytest
import torch

from cl_seg.planning import gpus


def install_gpus(monkeypatch: pytest.MonkeyPatch, folder: Path, *models: str) -> None:
    """Let planning find GPUs of these models, in this order on the PCI bus."""
    (folder / "dev").mkdir(parents=True)
    for index, model in enumerate(models):
        (folder / "dev" / f"nvidia{index}").write_text("")
        card = folder / "driver" / f"0000:{index:02}:00.0"
        card.mkdir(parents=True)
        text = f"Model: \t\t {model}\nIRQ:   11\nGPU UUID: \t GPU-{index}{index}aa\n"
        (card / "information").write_text(text)
    monkeypatch.setattr(gpus, "DRIVER", folder / "driver")
    monkeypatch.setattr(gpus, "DEVICES", folder / "dev")
    monkeypatch.setattr(gpus, "version", lambda _: "2.13.0")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def let_torch_see_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> list[int]:
    """Let torch answer that there are some GPUs; the last number returned is the current one."""
    current = [0]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: current[-1])
    return current
