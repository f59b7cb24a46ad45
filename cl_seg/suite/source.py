"""A hash of source files, so that edited code never passes for what an older one computed."""

import hashlib
from pathlib import Path

import cl_seg

SUFFIXES = {".py", ".yaml", ".npz", ".csv"}
TRAINING_ROOMS = (
    "benchmark.py",
    "losses.py",
    "metrics",
    "models",
    "scans/splits.py",
    "strategies",
    "suite/run.py",
    "torch_setup.py",
    "training",
)
"""What determines the numbers of a run, given its store."""


def source_hash(*rooms: str) -> str:
    """SHA-256 over the files of modules and folders of the package, in a fixed order."""
    digest = hashlib.sha256()
    for room in rooms:
        path = Path(cl_seg.__file__).parent / room
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.suffix in SUFFIXES:
                digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()
