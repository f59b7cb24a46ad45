"""Measures: slices a second, and arithmetic against the limit of matrix products."""

from functools import partial

from cl_seg.benchmark.slice_dataset import SliceDataset
from cl_seg.models.registry import OF_THE_STUDY
from experiments.gpu.extent import Extent
from experiments.gpu.outcome import Check, Figures, Part
from experiments.performance.roofline import PRECISIONS, Step, measure


def speed_check(extent: Extent, slices: SliceDataset) -> Check:
    """A part for every network and precision; TF32 is one of GPUs.

    Args:
        extent: of the networks.
        slices: that are trained on, on the device.
    """
    on_gpu = extent.device.type == "cuda"
    parts = [
        Part(f"{network} {precision}", partial(speed, extent, slices, network, precision))
        for network in OF_THE_STUDY
        for precision in PRECISIONS
        if on_gpu or precision != "tf32"
    ]
    return Check("speed", False, parts)


def speed(extent: Extent, slices: SliceDataset, network: str, precision: str) -> Figures:
    """Measure training steps of a network."""
    step = Step(network, extent.preset, extent.image, extent.batch, precision, extent.device)
    found = measure(step, slices, extent.steps, extent.rounds)
    return {
        "slices a second": round(extent.batch / found.seconds, 2),
        "TFLOP/s": round(found.rate / 1e12, 4),
        "TFLOP/s of matrix products": round(found.limit / 1e12, 4),
        "share": round(found.share, 4),
    }
