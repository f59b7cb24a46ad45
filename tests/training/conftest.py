"""What the tests of the training loop share: tagged images, and runs of a few steps."""

from collections.abc import Sequence
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch
from avalanche.training.plugins import SupervisedPlugin

from cl_seg.training.loop import DenseTraining, LoopSettings

from ..conftest import tiny_network
from ..strategies.conftest import plain_benchmark


def tagged_benchmark(counts: Sequence[int], side: int = 4) -> Any:
    """Plain tensors; every pixel of image i of experience k is k + i / 100, masks are 0 and 1."""
    parts = []
    for k, count in enumerate(counts):
        tags = k + torch.arange(count) / 100
        x = tags.view(-1, 1, 1, 1).expand(count, 1, side, side).clone()
        y = torch.zeros(count, side, side, dtype=torch.int64)
        y[:, : side // 2] = 1
        parts.append((x, y))
    return plain_benchmark(parts)


class Seen(SupervisedPlugin):  # type: ignore[misc]
    """The tags of every batch, one list per experience."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: dict[int, list[list[float]]] = {}

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the tags."""
        here = self.batches.setdefault(strategy.experience.current_experience, [])
        here.append([round(float(v), 2) for v in strategy.mb_x[:, 0, 0, 0]])


def make_loop(model: Any = None, plugins: Sequence[Any] = (), **changed: Any) -> DenseTraining:
    """A loop on a tiny network; ``changed`` are loop settings, and seed and augment."""
    seed, augment = changed.pop("seed", 0), changed.pop("augment", None)
    chosen = {"steps": 5, "batch_size": 4, "learning_rate": 1e-2, **changed}
    return DenseTraining(
        model=tiny_network() if model is None else model,
        settings=LoopSettings(**chosen),
        generator=torch.Generator().manual_seed(seed),
        augment=augment,
        plugins=list(plugins),
    )


@pytest.fixture(autouse=True)
def _same_noise() -> None:
    torch.manual_seed(0)
