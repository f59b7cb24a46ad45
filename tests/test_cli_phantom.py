"""``cl-seg phantom validate`` and ``sheet``: what they print, write and return."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cl_seg.cli.phantom import app
from cl_seg.messages.errors import InputError
from cl_seg.phantom import sheet
from cl_seg.phantom.validation import report, run
from cl_seg.phantom.validation.checks import Check, Law

PASSED = Check(Law.WATER, "toy_like", 0.5, 0, 1, "HU")
BETTER = Check(Law.WATER, "better_like", 0.1, 0, 1, "HU")
FAILED = Check(Law.LEVEL, "worse_like", 12, 10, 0.03, "HU", "relative")


@pytest.fixture
def measured(monkeypatch):
    """What is found, without measuring or scanning anything."""
    found = [PASSED, BETTER]

    def measure(quick, on_progress):
        on_progress(1, 1)
        return found

    monkeypatch.setattr(run, "validate", measure)
    monkeypatch.setattr(report, "pictures", lambda names, on_progress: names)
    monkeypatch.setattr(report, "gallery_png", lambda pictures: b"")
    return found


def phantom(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"})


@pytest.mark.usefixtures("measured")
def test_the_worst_of_each_law_is_printed_or_every_check():
    short, long = phantom("validate"), phantom("validate", "--all")
    assert short.exit_code == long.exit_code == 0
    assert "toy_like" in short.stdout and "2 of 2" in short.stdout
    assert "better_like" not in short.stdout and "better_like" in long.stdout


def test_a_failed_check_is_exit_code_1(measured):
    measured.append(FAILED)
    done = phantom("validate")
    assert done.exit_code == 1
    assert "0 of 1" in done.stdout


def test_json_alone_is_on_standard_output(measured):
    measured.append(FAILED)
    done = phantom("validate", "--json")
    assert done.exit_code == 1
    read = json.loads(done.stdout)
    assert read["passed"] is False
    assert [c["case"] for c in read["checks"]] == ["toy_like", "better_like", "worse_like"]


@pytest.mark.usefixtures("measured")
def test_files_are_written_with_the_command_in_them(tmp_path):
    done = phantom("validate", "--quick", "--out", tmp_path / "made")
    assert done.exit_code == 0
    assert "validation.md" in done.stdout
    text = (tmp_path / "made" / "validation.md").read_text()
    assert "cl-seg phantom validate --quick --out FOLDER" in text
    assert str(tmp_path) not in text


@pytest.mark.usefixtures("measured")
def test_a_file_instead_of_a_folder_is_refused_before_measuring(tmp_path, monkeypatch):
    monkeypatch.delattr(run, "validate")
    (tmp_path / "file").write_text("")
    done = phantom("validate", "--out", tmp_path / "file")
    assert isinstance(done.exception, InputError)
    assert "is a file" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.gif"], "a.gif"),
        (["a.png", "--level", "L4"], "'L4'"),
        (["a.png", "--scanner", "siemens_lik"], "siemens_like"),
        (["a.png", "--bodies", "0"], "--bodies"),
    ],
)
def test_bad_input_of_a_sheet_is_one_line(tmp_path: Path, arguments: list[str], message: str):
    code = "from cl_seg.cli import main; main()"
    command = [sys.executable, "-c", code, "phantom", "sheet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_sheet_is_drawn_of_the_chosen_bodies_levels_and_scanners(tmp_path, monkeypatch):
    asked = {}

    def write(path, profiles, **settings):
        asked.update(settings, path=path, scanners=list(profiles))

    monkeypatch.setattr(sheet, "write_sheet", write)
    picture = tmp_path / "a.png"
    done = phantom(
        "sheet", picture, "--scanner", "ge_like", "--bodies", 3, "--level", "liver",
        "--seed", 7, "--workers", 1,
    )  # fmt: skip
    assert done.exit_code == 0, done.exception
    assert asked == {
        "path": picture, "scanners": ["ge_like"], "bodies": 3, "levels": ("liver",), "seed": 7,
        "workers": 1,
    }  # fmt: skip


@pytest.mark.slow
def test_validation_runs_without_torch(tmp_path):
    code = (
        "import sys; from cl_seg.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "assert not {'torch', 'avalanche', 'monai'} & set(sys.modules)"
    )
    for arguments in (["validate", "--quick", "--json"], ["sheet", "a.png", "--bodies", "1",
                      "--scanner", "siemens_like", "--level", "L3", "--workers", "1"]):  # fmt: skip
        command = [sys.executable, "-c", code, "phantom", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").exists()
