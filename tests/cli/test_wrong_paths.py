"""Paths that are no file or no folder, where the other was expected: the option is named."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cl_seg.cli import _explained, app
from cl_seg.files.write import write_text
from cl_seg.messages.errors import InputError
from tests.api.conftest import SUITE
from tests.conftest import write_store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a suite, its store, and a file."""
    write_store(tmp_path / "tiny.store")
    (tmp_path / "quick.yaml").write_text(json.dumps(SUITE))
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("plan quick.yaml --results file", "(--results): file is a file, expected a folder"),
        ("run quick.yaml --results file", "(--results): file is a file, expected a folder"),
        ("status quick.yaml --cache file", "(--cache): file is a file, expected a folder"),
        ("report file", "file is a file, expected a folder of results"),
        ("report nowhere", "nowhere holds no finished run: there is no folder /"),
        ("claims .", "is not here: name a YAML file of claims with --claims"),
        ("claims . --claims mine.yaml", "mine.yaml: cannot be read"),
    ],
)
def test_the_option_is_named(words: str, said: str) -> None:
    error = CliRunner().invoke(app, words.split()).exception
    assert isinstance(error, InputError) and said in str(error)


@pytest.mark.parametrize("reason", [13, 30])
def test_a_file_that_cannot_be_written_has_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    def refuse(*_: object, **named: object) -> None:
        raise OSError(reason, os.strerror(reason), str(tmp_path / ".table.csv.x.tmp"))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(InputError, match=r"cannot write .*/table\.csv: .* choose another place"):
        write_text(tmp_path / "table.csv", "1")


@pytest.mark.parametrize(
    "words",
    [
        "plan absent.yaml",
        "plan quick.yaml --data absent.store",
        "report absent",
        "ingest absent new.store",
        "model show absent",
    ],
)
def test_what_is_not_there_is_named_by_its_absolute_path(folder: Path, words: str) -> None:
    error = CliRunner().invoke(app, words.split()).exception
    assert isinstance(error, InputError) and str(folder / "absent") in str(error)


def test_a_folder_without_rights_has_the_remedy() -> None:
    said = _explained(PermissionError(13, "Permission denied", "results/first/plan.json"))
    assert said == (
        "results/first/plan.json: Permission denied: give yourself the right to read and write it, "
        "or choose another place"
    )
    assert _explained(FileNotFoundError(2, "No such file", "a")) == "a: No such file"
