"""Text is UTF-8 wherever the package runs: no locale decides how a file of ours is read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(p for part in ("cl_seg", "experiments", "docs") for p in (ROOT / part).rglob("*.py"))
LOCALES = ["C", "POSIX", "de_DE.ISO-8859-1", "zh_CN.GBK"]


def in_the_locales_encoding(tree: ast.AST) -> Iterator[int]:
    """Lines that open text without saying how: what the linter cannot see for want of a type."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        said = {keyword.arg: keyword.value for keyword in call.keywords}
        if "encoding" in said or None in said:
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        bare = call.func.id if isinstance(call.func, ast.Name) else ""
        text = [ast.unparse(one) for one in (*call.args, *said.values())]
        if (name, len(call.args)) in {("read_text", 0), ("write_text", 1)}:
            yield call.lineno
        elif "open" in (name, bare) and not ("b'" in "".join(text) or name == bare):
            owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
            if owner not in {"gzip", "Image", "os", "webbrowser"}:
                yield call.lineno
        elif "text" in said or "universal_newlines" in said:
            yield call.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_text_file_is_opened_with_an_encoding(path: Path) -> None:
    assert not list(in_the_locales_encoding(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "line",
    [
        "for p in paths: p.read_text()",
        "x.write_text(t)",
        "open(p)",
        "p.open('w', newline='')",
        "subprocess.run(c, text=True)",
    ],
)
def test_the_check_sees_what_the_linter_does_not(line: str) -> None:
    assert list(in_the_locales_encoding(ast.parse(line)))
