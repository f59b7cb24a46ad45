"""Looks up modules and ``module:callable`` in their source, without importing them."""

import ast
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

import cl_seg
from cl_seg.messages.errors import InputError


def module_file(name: str) -> Path | None:
    """The file of a module, found on the path without importing it or its parents."""
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    ours = name.partition(".")[0] == "cl_seg"
    for folder in [str(Path(cl_seg.__file__).parents[1])] if ours else sys.path:
        base = Path(folder, *name.split("."))
        for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if path.is_file():
                return path
    return None


def imports_of(nodes: Iterable[ast.AST], name: str, path: Path) -> Iterator[str]:
    """Names of all modules a module may import, and of what it imports from them.

    Args:
        nodes: all of the module's syntax tree.
        name: of the module.
        path: its file.
    """
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _source(name, path, node)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def check_target(target: str, named_in: Path) -> None:
    """Refuse a ``module:callable`` that is not there.

    Args:
        target: what is looked for.
        named_in: file that names it.

    Raises:
        InputError: there is no such module, or nothing of that name in it.
    """
    module, _, name = target.partition(":")
    path = module_file(module)
    if path is None:
        raise InputError(
            f"{named_in}: {target}: there is no module {module}, neither beside the suite nor "
            "installed"
        )
    bound = set(_bound(_tree(path)))
    if name not in bound and "*" not in bound:
        raise InputError(f"{named_in}: {target}: there is no {name} in {path}")


def has_methods(target: str, names: Collection[str]) -> bool:
    """True where ``module:Class``, with the classes it derives from, defines all of some methods.

    False where that cannot be seen, as for a class that is made by a function.
    """
    missing, waiting, seen = set(names), [target], set()
    while waiting and missing:
        here = waiting.pop()
        module, _, name = here.partition(":")
        path = None if here in seen else module_file(module)
        seen.add(here)
        if path is None:
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef) and node.name == name:
                missing -= {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
                waiting += [_base(module, ast.unparse(base), _tree(path)) for base in node.bases]
            elif isinstance(node, ast.ImportFrom):
                source = _source(module, path, node)
                named = [a for a in node.names if name == (a.asname or a.name) or a.name == "*"]
                waiting += [f"{source}:{name if a.name == '*' else a.name}" for a in named]
    return not missing


@cache
def installed_version(path: Path) -> str:
    """``name version`` of the installed package a file belongs to, "" for files of one's own."""
    if "site-packages" not in path.parts:
        return ""
    top = path.parts[path.parts.index("site-packages") + 1].removesuffix(".py")
    names = packages_distributions().get(top, [])
    return " ".join(f"{name} {version(name)}" for name in sorted(set(names)))


def _source(name: str, path: Path, node: ast.ImportFrom) -> str:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    parents = package.split(".")[: len(package.split(".")) - node.level + 1]
    start = ".".join(parents) if node.level else ""
    return ".".join(part for part in (start, node.module or "") if part)


def _base(module: str, text: str, tree: ast.Module) -> str:
    """Module and name of a base class written as ``text``."""
    before, dot, name = text.partition("[")[0].rpartition(".")
    if not dot:
        return f"{module}:{name}"
    aliases = {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }
    first, _, rest = before.partition(".")
    return f"{aliases.get(first, first)}{'.' + rest if rest else ''}:{name}"


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (alias.asname or alias.name for alias in aliases)
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def parse(path: Path) -> ast.Module:
    """The syntax tree of a Python file.

    Raises:
        InputError: it is no Python source.
    """
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{path} is no Python source: {error}") from None


@cache
def _parsed(path: Path, _modified: int) -> ast.Module:
    return parse(path)


def _tree(path: Path) -> ast.Module:
    return _parsed(path, path.stat().st_mtime_ns)
