"""Hashes of source files, so that edited code never passes for what an older one computed."""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cl_seg

SUFFIXES = {".py", ".yaml", ".npz", ".csv"}
TRAINING = ("benchmark.py", "losses.py", "suite/stages.py", "torch_setup.py", "training")
"""What determines the state a stage trains, besides its network and strategy."""
SCORING = ("benchmark.py", "metrics", "suite/stages.py", "torch_setup.py", "training/evaluate.py")
"""What determines the scores of a state, besides its network."""
OPEN = ("cl_seg.models", "cl_seg.strategies")
DECLARED = ("cl_seg.models.declared", "cl_seg.models.registry", "cl_seg.strategies.declared")


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
    """SHA-256 over the file of ``module:callable`` and those it imports from beside it.

    Of the package's own networks and strategies the modules of the same room are followed, of a
    user's file those in its folder.
    """
    found: dict[str, Path] = {}
    waiting = [target.partition(":")[0]]
    while waiting:
        name = waiting.pop()
        path = module_file(name)
        if path is None or name in found or name in DECLARED:
            continue
        found[name] = path
        waiting += [n for n in _imports(path) if n.startswith(OPEN) or _beside(n, path)]
    return _hash(found[name] for name in sorted(found))


def module_file(name: str) -> Path | None:
    """The file of a module, found on the path without importing it or its parents."""
    relative = Path(*name.split("."))
    for folder in [str(Path(cl_seg.__file__).parents[1]), *sys.path]:
        for path in (relative.with_suffix(".py"), relative / "__init__.py"):
            if (Path(folder) / path).is_file():
                return Path(folder) / path
    return None


def _beside(name: str, path: Path) -> bool:
    return (path.parent / f"{name}.py").is_file()


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _hash(files: Iterator[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()
