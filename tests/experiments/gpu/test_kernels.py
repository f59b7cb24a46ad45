"""The kernel that does not repeat is named, with the module it was called in."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cl_seg.runtime.torch_setup import make_deterministic
from experiments.gpu.kernels import (
    Kernel,
    differing_kernel,
    digest,
    first_difference,
    noted_kernels,
    traced,
)


class Unseeded(nn.Module):
    """Adds other noise in every repeat, whatever the seed."""

    def forward(self, x: Tensor) -> Tensor:
        return x * float(1 + 1e-3 * np.random.default_rng().random())


class UnseededBackward(torch.autograd.Function):
    """Repeats in the forward pass; scales the gradient at random."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient.div(float(1 + np.random.default_rng().random()))


class ScalesGradient(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return UnseededBackward.apply(x)


@pytest.fixture(autouse=True)
def new_memory_is_filled() -> None:
    make_deterministic(threads=1)


def step_of(middle: Callable[[], nn.Module]) -> Callable[[], None]:
    """A step of training with a module between two convolutions."""

    def work() -> None:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 2, 3), middle(), nn.Conv2d(2, 1, 3))
        optimizer = torch.optim.AdamW(model.parameters())
        model(torch.rand(2, 1, 8, 8)).square().mean().backward()
        optimizer.step()

    return work


def test_work_that_repeats_has_no_difference() -> None:
    work = step_of(lambda: nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.5), nn.ELU(inplace=True)))
    assert first_difference(traced(work), traced(work)) is None
    assert "same bits in 2 further" in differing_kernel(work, repeats=2)


def test_the_first_kernel_that_differs_is_named_with_its_module() -> None:
    assert "aten.mul.Tensor in Sequential.1" in differing_kernel(step_of(Unseeded))


def test_a_kernel_of_the_backward_pass_is_named_too() -> None:
    said = differing_kernel(step_of(lambda: nn.Sequential(nn.ReLU(), ScalesGradient())))
    assert "aten.div.Tensor in Sequential.1.1, backward" in said


def test_kernels_of_both_passes_belong_to_their_module() -> None:
    trace = traced(step_of(lambda: nn.Sequential(nn.BatchNorm2d(2), nn.ReLU())))
    found = {(k.name.split(".")[1], k.module, k.backward) for k in trace}
    assert {
        ("native_batch_norm", "Sequential.1.0", False),
        ("threshold_backward", "Sequential.1.1", True),
        ("native_batch_norm_backward", "Sequential.1.0", True),
        ("convolution_backward", "Sequential.0", True),
        ("convolution_backward", "Sequential.2", True),
        ("mean", "", False),
    } < found


def test_what_is_changed_in_place_counts() -> None:
    def work() -> None:
        torch.zeros(3).add_(torch.zeros(3), alpha=2)
        torch._foreach_add_([torch.zeros(2)], float(np.random.default_rng().random()))

    assert "aten._foreach_add_" in differing_kernel(work)


def test_another_number_of_kernels_is_a_difference() -> None:
    one, two = Kernel("a", "", False, [1]), Kernel("b", "", False, [2])
    assert first_difference([one], [one, two]) == two == first_difference([one, two], [one])
    assert first_difference([one], [one]) is None


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32, torch.float64])
def test_a_digest_knows_every_bit_and_its_place(kind: torch.dtype) -> None:
    numbers = torch.arange(6, dtype=kind).reshape(2, 3)
    assert digest(numbers) == digest([numbers.clone()]) != digest(numbers.flip(1))
    changed = numbers.clone()
    changed[1, 2] = torch.nextafter(changed[1, 2], torch.tensor(9, dtype=kind))
    assert digest(changed) != digest(numbers)
    assert digest(torch.zeros(1)) != digest(-torch.zeros(1))
    assert digest(torch.ones(4, dtype=torch.int64)) == [] and len(digest(torch.zeros(0))) == 2


def test_what_torch_warns_of_is_noted() -> None:
    with noted_kernels() as noted:
        warnings.warn(
            "cumsum_cuda_kernel does not have a deterministic implementation, but", stacklevel=1
        )
        warnings.warn("not deterministic: set CUBLAS_WORKSPACE_CONFIG=:4096:8", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
    assert noted == {"cumsum_cuda_kernel", "cuBLAS without CUBLAS_WORKSPACE_CONFIG"}
