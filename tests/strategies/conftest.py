"""A small classification benchmark in plain Avalanche."""

from functools import cache
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset, make_avalanche_dataset
from avalanche.benchmarks.utils.data_attribute import TaskLabels
from avalanche.benchmarks.utils.flat_data import ConstantSequence
from avalanche.benchmarks.utils.transform_groups import TransformGroups
from avalanche.training import Naive
from avalanche.training.plugins import SupervisedPlugin
from torch import nn
from torch.utils.data import TensorDataset


class Slices(list[Any]):
    """Images and masks as an experience has them, without transforms."""

    def eval(self) -> "Slices":
        return self


def augmented_benchmark() -> Any:
    """One experience of 12 (1, 8, 8) images in 0…1, which training sees brighter by up to 5."""
    random = torch.Generator().manual_seed(0)
    images = torch.rand(12, 1, 8, 8, generator=random)
    groups = TransformGroups(
        {"train": (lambda image: image + 5 * torch.rand(()), None), "eval": (None, None)}
    )
    data = TensorDataset(images, (images[:, 0] > 0.5).long())
    return benchmark_from_datasets(train=[make_avalanche_dataset(data, transform_groups=groups)])


def plain_benchmark(parts: list[tuple[torch.Tensor, torch.Tensor]]) -> Any:
    """One experience per pair of inputs (n, …) and integer targets (n,)."""
    return benchmark_from_datasets(
        train=[
            AvalancheDataset(
                [TensorDataset(x, y)], data_attributes=[TaskLabels(ConstantSequence(0, len(x)))]
            )
            for x, y in parts
        ]
    )


@cache
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """scikit-learn's digits: (1797, 64) float32 in 0…1 and (1797,) int64."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)


def digits_benchmark(experiences: int, count: int = 100) -> Any:
    """Digits whose pixels are permuted differently in every experience."""
    x, y = digits()
    parts = []
    for k in range(experiences):
        order = torch.randperm(64, generator=torch.Generator().manual_seed(k))
        here = slice(k * count, (k + 1) * count)
        parts.append((x[here][:, order], y[here]))
    return plain_benchmark(parts)


class Batches(SupervisedPlugin):  # type: ignore[misc]
    """Inputs and targets of every batch, one list per experience."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[int, list[tuple[torch.Tensor, torch.Tensor]]] = {}

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Keep the batch."""
        here = self.seen.setdefault(strategy.experience.current_experience, [])
        here.append((strategy.mb_x.clone(), strategy.mb_y.clone()))


class SameOrder(SupervisedPlugin):  # type: ignore[misc]
    """Seeds every epoch, so that nothing a plugin draws changes the order of the batches."""

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        """Seed by the epochs trained so far."""
        torch.manual_seed(strategy.clock.total_iterations)


def digits_network() -> nn.Sequential:
    """The same small network every time."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def train_on_digits(
    plugins: list[Any], experiences: int, batch: int = 16, epochs: int = 2, count: int = 100
) -> nn.Module:
    """A network trained by plain Avalanche on permuted digits, in the same order every time."""
    model = digits_network()
    strategy = Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=batch,
        train_epochs=epochs,
        plugins=[*plugins, SameOrder()],
        evaluator=None,
    )
    for experience in digits_benchmark(experiences, count).train_stream:
        strategy.train(experience)
    return model


def flat(model: nn.Module) -> torch.Tensor:
    """All parameters as one vector."""
    return torch.cat([p.detach().flatten() for p in model.parameters()])
