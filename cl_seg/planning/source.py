"""Hashes of the source that numbers depend on, so that edited code never passes for older code.

Which files those are follows from what modules import, beginning at the one that computes a kind
of stage. So a hash changes exactly when code or data that can change a number have changed.
"""

import hashlib
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import cl_seg
from cl_seg.planning.source_roots import (
    BUILDERS,
    CHOICES,
    FRONT_DOORS,
    KEYED_BY_STARTING_STAGE,
    SOURCES,
    WITHOUT_NUMBERS,
)
from cl_seg.planning.syntax import read_source
from cl_seg.runtime.static_import import installed_version, module_file
from cl_seg.strategies.registry import STRATEGIES

DATA = {".csv", ".npz", ".yaml"}
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))


@cache
def stage_source_hash(kind: str) -> str:
    """SHA-256 over the source that computes a kind of stage, one of ``SOURCES``."""
    return _hash(stage_files(kind))


def stage_files(kind: str) -> dict[str, Path]:
    """The files of :func:`stage_source_hash`, by module."""
    keyed = KEYED_BY_STARTING_STAGE.get(kind, ())

    def affects_results(name: str) -> bool:
        chosen = _is_below(name, CHOICES) and name not in BUILDERS
        return _in_package(name) and not chosen and not _is_below(name, keyed)

    return _closure([SOURCES[kind]], affects_results)


@cache
def source_hash(*modules: str) -> str:
    """SHA-256 over the source of modules of the package and of all they import."""
    return _hash(module_files(*modules))


def module_files(*modules: str) -> dict[str, Path]:
    """The files of :func:`source_hash`, by module."""
    return _closure(modules, _in_package)


@cache
def callable_hash(target: str) -> str:
    """SHA-256 over the source of ``module:callable``; an installed package is known by its version.

    Raises:
        InputError: a file is no Python source.
    """
    found = callable_files(target)
    start = found.get(target.partition(":")[0])
    # Ours is hashed itself: from a wheel or a checkout, the same source is the same.
    ours = target.startswith("cl_seg.")
    return _hash(found, installed_version(start) if start and not ours else "")


def callable_files(target: str) -> dict[str, Path]:
    """The files of ``module:callable`` and of all it imports that can change a number, by module.

    Of a user's modules, and of those of an installed package, all that lie below the folder the
    first was found in are followed, except what is installed below it.

    Raises:
        InputError: a file is no Python source.
    """
    module = target.partition(":")[0]
    start = module_file(module)
    if start is None:
        return {}
    below = start.parents[module.count(".") + (start.name == "__init__.py")]

    def affects_results(name: str) -> bool:
        if name == module:
            return True
        if name.partition(".")[0] == "cl_seg":
            return _in_package(name) and name not in (*CHOICES, *BUILDERS)
        path = None if _is_below(module, ["cl_seg"]) else module_file(name)
        # What is installed has a version; a virtual environment may lie below the user's folder.
        return path is not None and path.is_relative_to(below) and not _is_installed(path)

    return _closure([module], affects_results)


def _closure(modules: Iterable[str], affects_results: Callable[[str], bool]) -> dict[str, Path]:
    """The files of modules, of what they import and of the packages they are in, by module."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = module_file(name) if name not in found and affects_results(name) else None
        if path is not None:
            found[name] = path
            package = name.rpartition(".")[0]
            waiting += map(_defined_in, read_source(name, path).imports)
            waiting += [package] if package not in FRONT_DOORS else []
    return found


def _defined_in(name: str) -> str:
    """The module of a strategy's class that ``cl_seg.strategies`` hands on; other names as is."""
    package, _, attribute = name.rpartition(".")
    return _classes().get(attribute, name) if package == "cl_seg.strategies" else name


@cache
def _classes() -> dict[str, str]:
    targets = (s.plugin.split(":") for s in STRATEGIES.values() if s.plugin)
    return {attribute: module for module, attribute in targets}


def data_files_read_by(files: Mapping[str, Path]) -> list[Path]:
    """The data files of the package whose names are written in some modules."""
    named = frozenset().union(*(read_source(*file).texts for file in files.items()))
    return [path for path in data_files(Path(cl_seg.__file__).parent) if path.name in named]


@cache
def data_files(package: Path) -> list[Path]:
    """All files of a package that hold data."""
    return [path for path in package.rglob("*.*") if path.suffix in DATA]


def _in_package(name: str) -> bool:
    """True for a module of the package that can change a number.

    The package itself cannot: it only imports the names that are asked of it.
    """
    return name.startswith("cl_seg.") and not _is_below(name, WITHOUT_NUMBERS)


def _is_below(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _is_installed(path: Path) -> bool:
    return "site-packages" in path.parts or path.is_relative_to(STANDARD_LIBRARY)


def _hash(files: Mapping[str, Path], package_version: str = "") -> str:
    """SHA-256 over modules, whatever their order, and the data they read."""
    digests = {name: read_source(name, path).digest for name, path in files.items()}
    for path in data_files_read_by(files):
        digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(repr((sorted(digests.items()), package_version)).encode()).hexdigest()
