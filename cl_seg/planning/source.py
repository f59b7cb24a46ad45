"""Hashes of source files, so that edited code never passes for what an older one computed."""

import hashlib
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cl_seg
from cl_seg.runtime.import_path import imported, installed_version, module_file

SUFFIXES = {".py", ".yaml", ".npz", ".csv"}
TRAINING = (
    "benchmark",
    "runtime/eval_mode.py",
    "losses.py",
    "scans/shares.py",
    "strategies/registry.py",
    "suite/stages.py",
    "runtime/torch_setup.py",
    "training",
)
"""What determines the state a stage trains, besides its network and strategy."""
SCORING = (
    "benchmark",
    "runtime/eval_mode.py",
    "metrics",
    "scans/shares.py",
    "suite/stages.py",
    "runtime/torch_setup.py",
    "training/evaluate.py",
)
"""What determines the scores of a state, besides its network."""
RANKING = (
    "benchmark",
    "scans/shares.py",
    "active_learning/ranking.py",
    "suite/stages.py",
    "active_learning/embedding.py",
)
"""What determines the order in which slices would be labelled, besides the network."""
UNTRAINED = ("models/registry.py", "training/stage.py")
"""What draws the weights of an untrained network, besides the network."""
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
OPEN = ("cl_seg.models", "cl_seg.strategies")
DECLARED = tuple(f"{room}.{name}" for room in OPEN for name in ("declared", "registry"))


@cache
def source_hash(*rooms: str) -> str:
    """SHA-256 over the files of modules and folders of the package, in a fixed order."""
    files: list[Path] = []
    for room in rooms:
        path = Path(cl_seg.__file__).parent / room
        files += sorted(path.rglob("*")) if path.is_dir() else [path]
    return _hash(file for file in files if file.suffix in SUFFIXES)


@cache
def callable_hash(target: str) -> str:
    """SHA-256 over the files of ``module:callable``; an installed package is known by its version.

    Raises:
        InputError: a file is no Python source.
    """
    found = callable_files(target)
    start = found.get(target.partition(":")[0])
    # All that matters of ours is hashed: from a wheel or a checkout, the same source is the same.
    ours = target.startswith("cl_seg.")
    version = installed_version(start) if start and not ours else ""
    return _hash((found[name] for name in sorted(found)), version)


def callable_files(target: str) -> dict[str, Path]:
    """The file of ``module:callable`` and those it imports from beside it, by module.

    Of the package's own networks and strategies the modules of the same rooms are followed; of a
    user's module all that lie below the folder it was found in.

    Raises:
        InputError: a file is no Python source.
    """
    found: dict[str, Path] = {}
    waiting = [target.partition(":")[0]]
    start = module_file(waiting[0])
    below = _folder_of(waiting[0], start) if start else None
    while waiting:
        name = waiting.pop()
        path = module_file(name)
        if path is None or name in found or (found and not _is_followed(name, path, below)):
            continue
        found[name] = path
        waiting += [*imported(name, path), name.rpartition(".")[0] or name]
    return found


def _folder_of(name: str, path: Path) -> Path:
    return path.parents[name.count(".") + (path.name == "__init__.py")]


def _is_followed(name: str, path: Path, below: Path | None) -> bool:
    if name.partition(".")[0] == "cl_seg":
        return name.startswith(OPEN) and name not in DECLARED
    # What is installed has a version; a virtual environment may lie below the user's folder.
    installed = "site-packages" in path.parts or path.is_relative_to(STANDARD_LIBRARY)
    return below is not None and path.is_relative_to(below) and not installed


def _hash(files: Iterator[Path], more: str = "") -> str:
    digest = hashlib.sha256(more.encode())
    for file in files:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()
