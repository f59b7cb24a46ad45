"""Tensors and plain data as bytes, read again without unpickling code."""

import io
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch


def to_bytes(state: Any) -> bytes:
    """Tensors and plain data as torch writes them."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def from_bytes(content: bytes, device: torch.device | str | None = "cpu") -> Any:
    """The inverse of :func:`to_bytes`; never unpickles code.

    Args:
        content: what that gave.
        device: of all tensors; None for the kind of device each was on, which is the current GPU
            for all that was on one, whatever its number was.

    Raises:
        ValueError: the content is damaged.
        torch.OutOfMemoryError: it does not fit on the device.
    """
    try:
        where = _as_it_was if device is None else device
        return torch.load(io.BytesIO(content), map_location=where, weights_only=True)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # torch raises whatever the damage leads to
        raise ValueError(f"not a saved state: {error}") from error


def _as_it_was(storage: Any, location: str) -> Any:
    """None where torch's own choice is right."""
    return storage.cuda() if location.startswith("cuda") else None
