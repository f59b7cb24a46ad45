"""Text is UTF-8 wherever the package runs: no locale decides how a file of ours is read."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cl_seg.scans.store import SliceStore
from tests.inference.test_series import model_folder
from tests.scans.conftest import write_series

ROOT = Path(__file__).parents[2]
FILES = sorted(p for part in ("cl_seg", "experiments", "docs") for p in (ROOT / part).rglob("*.py"))


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


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files whose names no ASCII, Chinese or western European locale has all of."""
    folder = tmp_path_factory.mktemp("Fälle·結果")
    for number, patient in enumerate(("Müller", "Ångström")):
        write_series(folder / "CT" / f"{patient}²", patient=f"p{number}", series=f"s{number}")
    rows = [f"CT/{p}²,,{p},Größe·X" for p in ("Müller", "Ångström")]
    table = "\n".join(["image,labels,patient,scanner", *rows, ""])
    (folder / "manifest.csv").write_text(table, encoding="utf-8")
    model_folder(folder / "model")
    return folder


def cl_seg(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    code = "from cl_seg.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONCOERCECLOCALE": "0", **environment},
        capture_output=True,
        check=False,
    )
    output = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, output
    assert "Traceback" not in output
    return output


@pytest.mark.parametrize("source", ["CT", "manifest.csv"])
def test_an_ascii_terminal_is_no_reason_to_stop(elsewhere: Path, source: str) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0"}
    store = f"ascii·{source}.store"
    said = cl_seg(elsewhere, ascii_only, "ingest", source, store, "--size", "64")
    assert r"\xb7" in said and len(SliceStore(elsewhere / store).slices) == 6


def test_prediction_and_its_table_are_the_same_in_any_locale(elsewhere: Path) -> None:
    said = cl_seg(elsewhere, {"LC_ALL": "C", "PYTHONUTF8": "0"}, "predict", "model", "CT")
    assert "Sensation 64 · B40f" in (elsewhere / "predictions/cases.csv").read_text("utf-8")
    assert r"Sensation 64 \xb7 B40f" in said


@pytest.mark.skipif(shutil.which("localedef") is None, reason="needs localedef to make locales")
@pytest.mark.parametrize(("language", "code"), [("de_DE", "ISO-8859-1"), ("zh_CN", "GBK")])
def test_locales_of_other_encodings(elsewhere: Path, language: str, code: str) -> None:
    made = elsewhere / "locales" / f"{language}.{code}"
    made.parent.mkdir(exist_ok=True)
    define = ["localedef", "-i", language, "-f", code, str(made)]
    if subprocess.run(define, capture_output=True, check=False).returncode > 1:
        pytest.skip("the sources of locales are not installed")
    where = {"LOCPATH": str(made.parent), "LC_ALL": made.name}
    cl_seg(elsewhere, where, "ingest", "manifest.csv", f"{code}.store", "--size", "64")
    assert list(SliceStore(elsewhere / f"{code}.store").header.scanners.values()) == ["Größe·X"]
