"""The largest memory a piece of work needed, of the process or of the GPU it runs on."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def begin_peak(device: torch.device) -> None:
    """Forget the largest memory so far."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        _RESET.write_text("5", encoding="utf-8")  # resets VmHWM, see proc(5)
    except OSError:
        return


def peak_bytes(device: torch.device) -> int | None:
    """Largest memory since :func:`begin_peak`; None where the system does not tell.

    On the CPU that of the whole process, interpreter and libraries included.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(found[0]) * 1024 if found else None
