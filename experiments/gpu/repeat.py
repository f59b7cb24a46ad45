"""Check: a training gives the same bits when it is repeated from the same seed."""

from collections.abc import Callable
from functools import partial

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.models.registry import OF_THE_STUDY
from experiments.gpu.extent import Extent
from experiments.gpu.kernels import differing_kernel, noted_kernels
from experiments.gpu.outcome import Check, CheckFailed, Figures, Part
from experiments.performance.step_overhead import our_loop

PRECISIONS = ("float32", "bfloat16")
WARNED = "kernels torch warns of"
TRACED_STEPS = 2
"""Of the further trainings in which every kernel is looked at."""


def repeat_check(extent: Extent, slices: SliceDataset) -> Check:
    """A part for every network and precision.

    Args:
        extent: of the networks.
        slices: that are trained on, on the device.
    """

    def part(network: str, precision: str) -> Part:
        def train(steps: int) -> nn.Module:
            torch.manual_seed(0)
            model = extent.model(network)
            our_loop(model, slices, steps, extent.batch, precision == "bfloat16")()
            return model

        return Part(f"{network} {precision}", partial(repeated, train, extent.steps))

    return Check("repeat", True, [part(n, p) for n in OF_THE_STUDY for p in PRECISIONS])


def repeated(train: Callable[[int], nn.Module], steps: int) -> Figures:
    """Train twice and compare the weights.

    Args:
        train: gives a network trained for so many steps from the same seed at every call.
        steps: of the trainings that are compared.

    Raises:
        CheckFailed: they differ; the reason names the first kernel that gives other bits.
    """
    with noted_kernels() as noted:
        once, again = (train(steps).state_dict() for _ in range(2))
    figures = {"steps": steps, WARNED: sorted(noted)}
    if not all(torch.equal(once[name], again[name]) for name in once):
        kernel = differing_kernel(lambda: train(TRACED_STEPS))
        raise CheckFailed(f"weights differ after {steps} steps: {kernel}", figures)
    return figures
