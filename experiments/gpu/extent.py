"""How large the checks are: on a GPU as networks are used there, or as small as they can be."""

from dataclasses import dataclass

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch
from torch import nn

from cl_seg.models.build import build_model
from cl_seg.training.contract.strategy_under_test import CLASSES


@dataclass(frozen=True)
class Extent:
    """Sizes of what the checks train.

    Attributes:
        device: where.
        preset: size of the networks.
        image: height and width of the images.
        batch: images per step.
        steps: of a training that is timed or repeated.
        rounds: of which the fastest counts, or the median of ratios is taken.
        epochs: over the slices of an experience where costs are compared.
        stream_steps: of each of the two experiences of the stream.
        workers: processes that compute the stream, 0 for this one.
    """

    device: torch.device
    preset: str
    image: int
    batch: int
    steps: int
    rounds: int
    epochs: int
    stream_steps: int
    workers: int

    def model(self, network: str) -> nn.Module:
        """An untrained network on the device, drawn by torch's global generator."""
        return build_model(network, self.preset, {}, CLASSES, self.image).to(self.device)


def full_extent(device: torch.device) -> Extent:
    """Large networks at 256²."""
    return Extent(
        device, "large", 256, 8, steps=20, rounds=3, epochs=10, stream_steps=60, workers=1
    )


def small_extent(device: torch.device) -> Extent:
    """The same checks in seconds, to see that they run."""
    return Extent(device, "small", 64, 2, steps=2, rounds=2, epochs=2, stream_steps=4, workers=0)
