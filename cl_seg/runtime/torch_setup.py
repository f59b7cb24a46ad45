"""Makes torch ready: importable torchvision, chosen device, threads, determinism and memory.

Import this before monai or avalanche, both of which import torchvision. With the CPU build of
torch, the torchvision wheel of the public index is built for CUDA and fails at import because its
compiled operators are missing; nothing here uses them, so declaring their signatures is enough.
"""

import ctypes
import importlib
import os
import random
import sys
from contextlib import suppress

import numpy as np
import torch

from cl_seg.messages.errors import InputError

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_declared: list[torch.library.Library] = []  # the declarations live as long as the reference
os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # GPUs are counted as nvidia-smi does


def import_torchvision() -> None:
    """Import torchvision, declaring its missing operators when only they stand in the way."""
    try:
        importlib.import_module("torchvision")
        return
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for signature in _OPERATORS:
        library.define(signature)  # type: ignore[no-untyped-call]
    _declared.append(library)
    importlib.import_module("torchvision")


def pick_device(wanted: str) -> torch.device:
    """The device of a suite's ``device``; the current GPU of this process is that GPU from then on.

    ``auto`` is a GPU where there is one, else the CPU. A process that sees one GPU takes that one
    for ``cuda:1`` too, see :func:`cl_seg.planning.gpus.gpus_of`.

    Raises:
        InputError: torch sees no such GPU.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "cpu" or (wanted == "auto" and not count):
        return torch.device("cpu")
    index = wanted.partition(":")[2]
    if count != 1 and int(index or 0) >= count:
        sees = f"{count} GPUs, counted from 0" if count else "no GPU: say `device: cpu`"
        raise InputError(f"device is {wanted}, but torch sees {sees}")
    if index:
        torch.cuda.set_device(int(index) if count > 1 else 0)
    return torch.device("cuda", torch.cuda.current_device())


def make_deterministic(threads: int) -> None:
    """Fix the number of CPU threads and ask torch for deterministic kernels.

    Kernels without a deterministic form warn instead of failing; on the CPU there are none in use.
    Convolutions of float32 are computed in float32, not in the 10 bits of TF32 as torch has it.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or matrix products differ
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Filling memory that is about to be written changes no result of code that is right.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False


def keep_freed_memory() -> None:
    """Let the C library keep memory that a training step frees for the next; glibc only.

    By default it gives the top of its heap back, and pages that are taken anew have to be zeroed:
    up to 7 % of a step where a strategy keeps tensors of its own between those of the network
    (SI, UNet at 64², 1300 page faults a step). See ``mallopt(3)``.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)  # the most it takes; below, blocks are of the heap
        mallopt(_M_TRIM_THRESHOLD, 512 * 2**20)


def seed_everything(seed: int) -> None:
    """Seed the global generators of torch, numpy and Python, which plugins may draw from."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator is what is seeded
    random.seed(seed)


import_torchvision()
