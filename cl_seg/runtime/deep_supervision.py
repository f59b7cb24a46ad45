"""Access to the coarser logits of a network with deep supervision, for the training loss alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class DeeplySupervised(Protocol):
    """A network whose forward pass adds its coarser logits to a list, where it has one.

    It returns the logits of the full resolution, and keeps nothing: strategies that run it, copy
    it, or compare its outputs see a network like all others.
    """

    coarser: list[Tensor] | None


@contextmanager
def coarser_logits(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the coarser logits of a forward pass within this context.

    Args:
        network: any; one without deep supervision leaves the list empty.
    """
    found: list[Tensor] = []
    if not isinstance(network, DeeplySupervised):
        yield found
        return
    network.coarser = found
    try:
        yield found
    finally:
        network.coarser = None
