"""The GPUs that this process sees, found by files and environment, without importing torch.

How CUDA reads ``CUDA_VISIBLE_DEVICES``: CUDA C++ Programming Guide, CUDA Environment Variables.
"""

import os
from collections.abc import Iterator
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path

from cl_seg.messages.errors import InputError

DRIVER = Path("/proc/driver/nvidia/gpus")
DEVICES = Path("/dev")
VISIBLE = "CUDA_VISIBLE_DEVICES"
CPU = ""
"""The value of that variable that names no GPU."""


def visible_gpus() -> list[str]:
    """The GPUs that torch can use in this process, each as a value of ``CUDA_VISIBLE_DEVICES``.

    Where that variable is set, its entries: indices, or UUIDs. Otherwise indices by the GPUs' place
    on the PCI bus, as ``nvidia-smi`` counts them.
    """
    files = [*DEVICES.glob("nvidia[0-9]*"), *DEVICES.glob("dxg")]  # the latter in WSL
    usable = [path for path in files if os.access(path, os.R_OK | os.W_OK)]
    if not usable or "+cpu" in version("torch"):
        return []
    named = os.environ.get(VISIBLE)
    if named is None:
        return [str(index) for index in range(len(usable))]
    # CUDA hides what follows an entry that names no GPU, such as -1.
    entries = (entry.strip() for entry in named.split(","))
    return list(takewhile(lambda entry: _names_a_gpu(entry, usable), entries))


def gpus_of(device: str) -> list[str]:
    """The visible GPUs that the ``device`` of a suite names, as :func:`visible_gpus` gives them.

    ``cuda`` and ``auto`` name all, ``cuda:1`` the second. A process that sees one GPU was given it,
    as a worker or a Slurm job is: there it is the one, whatever index the suite names.
    """
    visible, index = visible_gpus(), device.partition(":")[2]
    if not index or len(visible) == 1:
        return visible
    return visible[int(index) :][:1]


def require_gpu(device: str) -> None:
    """Refuse a device that this machine has not.

    Args:
        device: ``cuda`` or ``cuda:N``.

    Raises:
        InputError: saying how many GPUs it has.
    """
    if not gpus_of(device):
        count = len(visible_gpus())
        here = f"{count} GPUs, counted from 0" if count else "no GPU that torch can use"
        raise InputError(
            f"device is {device}, but this machine has {here}: write a device that it has, such as "
            f"`device: {'cuda' if count else 'cpu'}`"
        )


def gpu_model(device: str) -> str:
    """Model of the GPUs that a device names; "" where no file tells.

    Raises:
        InputError: they are of several models, on which results depend.
    """
    cards = list(_cards())
    models = dict.fromkeys(_model(gpu, cards) for gpu in gpus_of(device))
    if len(models) > 1:
        raise InputError(
            f"this machine has GPUs of several models ({', '.join(models)}), and results depend on "
            f"the model: write `device: cuda:N`, or list GPUs of one model in the environment "
            f"variable {VISIBLE} (--gpus does not choose between models)"
        )
    return next(iter(models), "")


def _names_a_gpu(entry: str, files: list[Path]) -> bool:
    if entry.isdigit():
        return int(entry) < len(files) or any(file.name == "dxg" for file in files)
    return entry.startswith(("GPU-", "MIG-"))


def _cards() -> Iterator[dict[str, str]]:
    """What the driver says of each GPU, by their place on the PCI bus."""
    for path in sorted(DRIVER.glob("*/information")):
        pairs = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines())
        yield {name.strip(): value.strip() for name, _, value in pairs}


def _model(gpu: str, cards: list[dict[str, str]]) -> str:
    if gpu.isdigit():
        cards = cards[int(gpu) :][:1]
    elif gpu.startswith("GPU-"):
        cards = [card for card in cards if card.get("GPU UUID", "").startswith(gpu)]
    return ", ".join(sorted({card.get("Model", "") for card in cards}))
