"""``python -m experiments.simulator.validation``: printed text, files and exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.simulator.validation import report, run
from experiments.simulator.validation.__main__ import main
from experiments.simulator.validation.checks import Check, Law

ROOT = Path(__file__).parents[4]
PASSED = Check(Law.WATER, "toy_like", 0.5, 0, 1, "HU")
BETTER = Check(Law.WATER, "better_like", 0.1, 0, 1, "HU")
FAILED = Check(Law.LEVEL, "worse_like", 12, 10, 0.03, "HU", "relative")


@pytest.fixture
def measured(monkeypatch):
    """What is found, without measuring or scanning anything."""
    found = [PASSED, BETTER]
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(run, "validate", lambda quick: found)
    monkeypatch.setattr(report, "pictures", lambda names: names)
    monkeypatch.setattr(report, "gallery_png", lambda pictures: b"")
    return found


@pytest.mark.usefixtures("measured")
def test_the_worst_of_each_law_is_printed_or_every_check(capsys):
    assert main([]) == 0
    short = capsys.readouterr().out
    assert main(["--all"]) == 0
    long = capsys.readouterr().out
    assert "toy_like" in short and "2 of 2" in short
    assert "better_like" not in short and "better_like" in long


def test_a_failed_check_is_exit_code_1(measured, capsys):
    measured.append(FAILED)
    assert main([]) == 1
    assert "0 of 1" in capsys.readouterr().out


def test_json_alone_is_on_standard_output(measured, capsys):
    measured.append(FAILED)
    assert main(["--json"]) == 1
    read = json.loads(capsys.readouterr().out)
    assert read["passed"] is False
    assert [c["case"] for c in read["checks"]] == ["toy_like", "better_like", "worse_like"]


@pytest.mark.usefixtures("measured")
def test_files_are_written_with_the_command_in_them(tmp_path, capsys):
    assert main(["--quick", "--out", str(tmp_path / "made")]) == 0
    assert "validation.md" in capsys.readouterr().out
    text = (tmp_path / "made" / "validation.md").read_text()
    assert "python -m experiments.simulator.validation --quick --out FOLDER" in text
    assert str(tmp_path) not in text


@pytest.mark.usefixtures("measured")
def test_a_file_instead_of_a_folder_is_refused_before_measuring(tmp_path, monkeypatch, capsys):
    monkeypatch.delattr(run, "validate")
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path / "file")])
    assert "is a file" in capsys.readouterr().err


@pytest.mark.slow
def test_validation_runs_without_torch():
    code = (
        "import sys; from experiments.simulator.validation.__main__ import main\n"
        "assert main(['--quick', '--json']) == 0\n"
        "assert not {'torch', 'avalanche', 'monai'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
