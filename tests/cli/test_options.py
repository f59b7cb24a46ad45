"""Options before a command, the groups of the help, and the old name of a command."""

import json
import re
from pathlib import Path

import pytest

import cl_seg
from cl_seg.cli import GROUPS, PANELS
from tests.api.conftest import SUITE
from tests.cli.test_command import cl_seg as command
from tests.conftest import write_store


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a store and a suite that takes no time."""
    folder = tmp_path_factory.mktemp("suite")
    write_store(folder / "tiny.store")
    training = {"steps": 1, "batch_size": 2, "curve_every": 0}
    short = {"models": ["unet"], "strategies": ["naive"], "training": training}
    (folder / "quick.yaml").write_text(json.dumps({**SUITE, **short}))
    return folder


def test_version() -> None:
    done = command("--version")
    assert done.stdout == f"cl-seg {cl_seg.__version__}\n" and done.returncode == 0


def test_the_help_groups_commands_by_what_one_does() -> None:
    shown = command("--help").stdout
    titles = re.findall(r"─ ([A-Za-z ]+) ─", shown)
    panels = [*PANELS, *(panel for _, panel in GROUPS.values())]
    assert set(titles) == {"Options", *panels} and len(titles) == len(set(titles))
    assert "best-settings" in shown and not re.search(r"│ select\b", shown)


def test_completion_can_be_installed() -> None:
    shown = command("--help").stdout
    assert "--install-completion" in shown and "--show-completion" in shown


def test_quiet_tells_the_path_of_the_outcome_alone(folder: Path) -> None:
    run = ["run", "quick.yaml", "--workers", "0"]
    done = command("-q", *run, cwd=folder)
    assert (done.stdout, done.stderr) == ("results/quick/report.html\n", ""), done.stderr
    normal = command(*run, cwd=folder)
    assert "1 of 1 run is finished already" in normal.stdout
    assert normal.stdout.endswith("report: results/quick/report.html\n")
    verbose = command("-v", *run, cwd=folder)
    assert "stages are finished already" in verbose.stdout
    assert "stages are finished already" not in normal.stdout


def test_gpus_are_numbers(folder: Path) -> None:
    done = command("run", "quick.yaml", "--gpus", "0,x", cwd=folder)
    assert done.returncode == 2 and "--gpus 0,x: expected numbers of GPUs" in done.stderr


def test_quiet_tells_errors(tmp_path: Path) -> None:
    done = command("-q", "report", "nowhere", cwd=tmp_path)
    assert done.returncode == 2 and "no finished run" in done.stderr and not done.stdout


def test_quiet_and_verbose_contradict_each_other() -> None:
    done = command("-q", "-v", "schema")
    assert done.returncode == 2 and "contradict each other" in done.stderr


def test_quiet_gives_the_answer_that_is_asked_for(folder: Path) -> None:
    asked = command("plan", "quick.yaml", cwd=folder).stdout
    assert command("-q", "plan", "quick.yaml", cwd=folder).stdout == asked != ""


def test_the_old_name_of_best_settings_works_and_says_the_new_one(tmp_path: Path) -> None:
    old, new = (command(name, "nowhere", cwd=tmp_path) for name in ("select", "best-settings"))
    assert old.returncode == new.returncode == 2
    assert old.stderr.startswith("cl-seg: `cl-seg select` is now called `cl-seg best-settings`")
    assert old.stderr.endswith(new.stderr)
