"""A small classification benchmark in plain Avalanche."""

from functools import cache
from typing import Any

import cl_seg.torch_setup  # noqa: F401  # isort: skip
import torch
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.benchmarks.utils.data_attribute import TaskLabels
from avalanche.benchmarks.utils.flat_data import ConstantSequence
from torch.utils.data import TensorDataset


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
