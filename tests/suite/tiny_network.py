"""Networks for tests, named in suites as module:callable."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn


def build(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(in_channels, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, out_channels, 1)
    )


def build_normed(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(in_channels, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, out_channels, 1),
    )


class Exploding(nn.Module):
    def __init__(self, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) * (torch.inf if self.training else 1)


class Dying(nn.Module):
    def __init__(self, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            os._exit(9)
        return self.conv(x)


def build_dying(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    return Dying(out_channels)


def build_wrong(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    return nn.Conv2d(in_channels, out_channels + 2, 1)


def build_exploding(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    return Exploding(out_channels)


def build_dying_once(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    marker = Path(os.environ["DIED_ALREADY"])
    if not marker.exists():
        marker.touch()
        os._exit(9)
    return build(in_channels, out_channels, image_size)


def build_with_three_others(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    """Waits until four processes are here at once; that on GPU 2 is killed then."""
    folder, gpu = Path(os.environ["WORKERS_SEEN"]), os.environ["CUDA_VISIBLE_DEVICES"]
    with (folder / str(os.getpid())).open("a") as file:
        file.write(f"{gpu}\n")
    deadline = time.monotonic() + 120
    while len(list(folder.iterdir())) < 4:
        assert time.monotonic() < deadline, "no four stages at once"
        time.sleep(0.05)
    if gpu == "2" and len(list(folder.iterdir())) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return build(in_channels, out_channels, image_size)


class Full(nn.Module):
    def __init__(self, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self.conv(x)


def build_full(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    return Full(out_channels)


def build_drawn_by_numpy(in_channels: int, out_channels: int, image_size: int) -> nn.Module:
    model = build(in_channels, out_channels, image_size)
    weights = np.random.normal(size=model[0].weight.shape)  # noqa: NPY002 - what users write
    model[0].weight.data = torch.tensor(weights, dtype=torch.float32)
    return model
