"""``cl-seg phantom``: its options, and bad input."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cl_seg.cli.phantom import app
from cl_seg.phantom import sheet
from cl_seg.phantom.anatomy.slices import LEVELS
from cl_seg.phantom.profiles import profile_names


def phantom(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"})


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
    assert phantom("sheet", picture, "--workers", 1).exit_code == 0
    assert (asked["levels"], asked["scanners"]) == (LEVELS, profile_names())


@pytest.mark.slow
def test_a_sheet_is_drawn_without_torch(tmp_path):
    code = (
        "import sys; from cl_seg.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "assert not {'torch', 'avalanche', 'monai'} & set(sys.modules)"
    )
    arguments = ["sheet", "a.png", "--bodies", "1", "--scanner", "siemens_like", "--level", "L3"]
    command = [sys.executable, "-c", code, "phantom", *arguments, "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").exists()
