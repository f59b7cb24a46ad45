"""Imports of a module and a hash of its code that ignores comments and formatting."""

import ast
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cl_seg.runtime.static_import import imports_of, parse


@dataclass(frozen=True)
class Source:
    """Imports, texts and hash of a module.

    Attributes:
        digest: SHA-256 of the syntax tree without docstrings.
        imports: names of modules it may import, and of what it imports from them.
        texts: its string constants, among which are the names of data files it reads.
    """

    digest: str
    imports: tuple[str, ...]
    texts: frozenset[str]


def read_source(name: str, path: Path) -> Source:
    """Imports, texts and hash of a module, read once until its file changes.

    Raises:
        InputError: it is no Python source.
    """
    stat = path.stat()
    return _read(name, path, (stat.st_mtime_ns, stat.st_size))


@cache
def _read(name: str, path: Path, _state: tuple[int, int]) -> Source:
    tree = parse(path)
    nodes = list(ast.walk(tree))
    imports = dict.fromkeys(imports_of(nodes, name, path))
    texts: set[str] = set()
    for node in nodes:
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A docstring, of whatever it stands below, is a statement that does nothing.
            node.body = [one for one in body if not _is_text(one)] or [ast.Pass()]  # type: ignore[attr-defined]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    digest = hashlib.sha256(ast.unparse(tree).encode()).hexdigest()
    return Source(digest, tuple(imports), frozenset(texts))


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
