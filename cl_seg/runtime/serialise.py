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
        device: of all tensors; None for the one each was on.

    Raises:
        ValueError: the content is damaged.
    """
    try:
        return torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    except Exception as error:  # torch raises whatever the damage leads to
        raise ValueError(f"not a saved state: {error}") from error
