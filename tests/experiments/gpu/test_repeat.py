"""A training that does not repeat is found, and the kernel to blame is named."""

import pytest
import torch
from torch import nn

from experiments.gpu.outcome import CheckFailed
from experiments.gpu.repeat import WARNED, repeated
from tests.experiments.gpu.test_kernels import Unseeded


def trained(middle: nn.Module, steps: int) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), middle, nn.Conv2d(2, 1, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.rand(2, 1, 8, 8)).square().mean().backward()
        optimizer.step()
    return model


def test_the_same_bits_pass() -> None:
    figures = repeated(lambda steps: trained(nn.Dropout(0.5), steps), 3)
    assert figures == {"steps": 3, WARNED: []}


def test_other_bits_fail_with_the_name_of_the_kernel() -> None:
    with pytest.raises(CheckFailed, match=r"after 3 steps.*aten.mul.Tensor in Sequential.1") as no:
        repeated(lambda steps: trained(Unseeded(), steps), 3)
    assert no.value.figures["steps"] == 3
