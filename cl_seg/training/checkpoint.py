"""Exact resume of a training: the state of the training loop, as tensors and plain data."""

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import torch

from cl_seg.files.write import write_bytes
from cl_seg.runtime.avalanche import SupervisedPlugin
from cl_seg.runtime.serialise import from_bytes, to_bytes

State = dict[str, Any]


class TrainingStopped(Exception):
    """Training was asked to stop; where it can be resumed, a checkpoint has been written."""


class StopPlugin(SupervisedPlugin):  # type: ignore[misc]
    """Stops a training that cannot be resumed from a checkpoint; must be the last plugin.

    Args:
        stop: True when training shall stop after the current step.
    """

    def __init__(self, stop: Callable[[], bool]) -> None:
        super().__init__()
        self.stop = stop

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Stop when asked to.

        Raises:
            TrainingStopped: the training so far is lost.
        """
        if self.stop():
            raise TrainingStopped


class CheckpointPlugin(SupervisedPlugin):  # type: ignore[misc]
    """Writes a checkpoint every so many seconds, and before it stops; must be the last plugin.

    The times at which checkpoints are written change no result.

    Args:
        file: replaced atomically by every checkpoint.
        seconds: between two checkpoints.
        stop: True when training shall stop after the current step.
    """

    def __init__(self, file: Path, seconds: float, stop: Callable[[], bool]) -> None:
        super().__init__()
        self.file, self.seconds, self.stop = file, seconds, stop
        self.began = self.last = time.monotonic()

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Write when it is time.

        Raises:
            TrainingStopped: after a checkpoint, when asked to stop before the last step.
        """
        stopping = self.stop()
        if stopping or time.monotonic() - self.last >= self.seconds:
            spent = strategy.checkpoint.get("seconds", 0.0) + time.monotonic() - self.began
            content = to_bytes({**loop_state(strategy), "seconds": spent})
            write_bytes(self.file, hashlib.sha256(content).digest() + content)
            self.last = time.monotonic()
        if stopping:
            raise TrainingStopped


def loop_state(loop: Any) -> State:
    """Everything a step of a :class:`cl_seg.training.loop.DenseTraining` depends on."""
    return {
        "step": loop.step,
        "model": loop.model.state_dict(),
        "optimizer": loop.optimizer.state_dict(),
        "schedule": loop.lr_schedule.state_dict(),
        "plugins": [plugin.state_dict() for plugin in stateful(loop.plugins)],
        "augmentation": loop.augment.generator.get_state() if loop.augment else None,
        "random": _random_states(loop.device),
        "stopping": loop._stop_training,
        "finite": loop.loss_was_finite,
    }


def read_checkpoint(file: Path) -> State:
    """The state a training is resumed from, every tensor on the kind of device it was on.

    Empty where there is no checkpoint or a damaged one.
    """
    try:
        written = file.read_bytes()
    except FileNotFoundError:
        return {}
    digest, content = written[:32], written[32:]
    intact = hashlib.sha256(content).digest() == digest
    return dict(from_bytes(content, None)) if intact else {}


def restore_loop(loop: Any, state: State) -> None:
    """Put a loop into a state of :func:`loop_state`, between two of its steps."""
    loop.model.load_state_dict(state["model"])
    loop.optimizer.load_state_dict(state["optimizer"])
    loop.lr_schedule.load_state_dict(state["schedule"])
    for plugin, plugin_state in zip(stateful(loop.plugins), state["plugins"], strict=True):
        plugin.load_state_dict(plugin_state)
    if loop.augment:
        loop.augment.generator.set_state(state["augmentation"])
    loop._stop_training = state["stopping"]
    loop.loss_was_finite = state["finite"].to(loop.device)
    _set_random_states(state["random"], loop.device)


def stateful(plugins: list[Any]) -> list[Any]:
    """The plugins whose state can be kept on disk."""
    return [p for p in plugins if hasattr(p, "state_dict") and hasattr(p, "load_state_dict")]


def _random_states(device: torch.device) -> State:
    version, internal, gauss = random.getstate()
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - what plugins may use
    return {
        "torch": torch.get_rng_state(),
        "cuda": [torch.cuda.get_rng_state(device)] if device.type == "cuda" else [],
        "python": [version, list(internal), gauss],
        "numpy": [str(name), torch.tensor(np.asarray(keys).astype(np.int64)), *rest],
    }


def _set_random_states(states: State, device: torch.device) -> None:
    torch.set_rng_state(states["torch"])
    for state in states["cuda"]:
        torch.cuda.set_rng_state(state, device)
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))  # noqa: NPY002
