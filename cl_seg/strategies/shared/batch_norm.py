"""Batch norm of a network and its running statistics, which alone can forget."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cl_seg.messages.errors import InputError
from cl_seg.runtime.eval_mode import eval_mode

BATCH_NORM = _BatchNorm


@contextmanager
def kept_statistics(model: nn.Module) -> Iterator[None]:
    """Forward passes in this context leave the running statistics of batch norm as they are."""
    tracking = [m for m in model.modules() if isinstance(m, BATCH_NORM) and m.track_running_stats]
    for module in tracking:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in tracking:
            module.track_running_stats = True


@contextmanager
def batch_statistics(model: nn.Module) -> Iterator[None]:
    """Eval mode but for batch norm, which normalises each batch by its own mean and variance.

    The running statistics stay as they are.
    """
    with eval_mode(model), kept_statistics(model):
        for module in model.modules():
            if isinstance(module, BATCH_NORM):
                module.train()
        yield


def batch_norms(model: nn.Module) -> list[tuple[str, _BatchNorm]]:
    """Names and modules of a network's batch norm.

    Raises:
        InputError: it has none, so that nothing could be controlled.
    """
    found = [(n, m) for n, m in model.named_modules() if isinstance(m, BATCH_NORM)]
    if not found:
        raise InputError(
            f"{type(model).__name__} has no batch norm: strategies that control its statistics "
            "have no effect; leave them out for this network"
        )
    return found


def running_statistics(model: nn.Module) -> list[tuple[str, Tensor]]:
    """Names and buffers of the running statistics of a network's batch norm."""
    return [
        (f"{name}.{buffer}", tensor)
        for name, module in batch_norms(model)
        for buffer, tensor in module.named_buffers(recurse=False)
    ]
