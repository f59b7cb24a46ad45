"""The command line from outside: exit codes, one clear line, and a start without torch."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[2] / "experiments" / "quick.yaml"
CODE = """
import sys
from cl_seg.cli import main
sys.argv = ["cl-seg", *{arguments!r}]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = {{"torch", "avalanche", "monai", "SimpleITK", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""


def cl_seg(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from cl_seg.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["plan", str(SUITE)], ["run", "--help"], ["ingest", "--help"]]
)
def test_starts_without_torch_or_avalanche(arguments: list[str]) -> None:
    code = CODE.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_plan_lists_every_run() -> None:
    done = cl_seg("plan", str(SUITE))
    assert done.returncode == 0
    assert "16 runs" in done.stdout and done.stdout.count("order1-seed0") == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "missing.yaml"], "missing.yaml"),
        (["run", "missing.yaml"], "missing.yaml"),
        (["report", "nowhere"], "no finished run"),
        (["plan", str(SUITE), "--data", "nowhere.store"], "is not a slice store"),
        (["ingest", "nowhere", "a.store"], "nowhere"),
        (["ingest", ".", "a.store", "--label", "liver"], "NAME=VALUE"),
        (["ingest", ".", "a.store", "--spacing-mm", "-1"], "--spacing-mm"),
        (["phantom", "simulate", "a.store", "--scanner", "siemens_lik"], "siemens_like"),
        (["phantom", "simulate", "a.store", "--own-bodies", "-3"], "own-bodies"),
        (["phantom", "export", "a", "--shared-bodies", "0"], "--shared-bodies"),
        (["phantom", "export", "a", "--slices", "1000000"], "--slices"),
        (["phantom", "export", "a", "--format", "png"], "--format"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = cl_seg(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_nothing_is_computed_into_packed_results(tmp_path: Path) -> None:
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "runs.jsonl").write_text("")
    for command in ("plan", "run", "status"):
        done = cl_seg(command, str(SUITE), "--results", "packed", cwd=tmp_path)
        assert done.returncode == 2 and "`cl-seg unpack packed NEW_FOLDER`" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["packed", "runs.jsonl"]


def test_every_mistake_in_a_suite_names_its_file_and_no_line_is_a_picture(tmp_path: Path) -> None:
    text = re.sub(
        r"\nstrategies:", "\norders: [[nope, siemens_like]]\nstrategies:", SUITE.read_text()
    )
    (tmp_path / "suite.yaml").write_text(text)
    done = cl_seg("plan", "suite.yaml", cwd=tmp_path)
    assert done.stderr.startswith("cl-seg: suite.yaml: orders: unknown scanner nope")
    (tmp_path / "long.yaml").write_text("kind: stream" + "\n" * 99 + "nam: x\n")
    assert "long.yaml:100:" in cl_seg("plan", "long.yaml", cwd=tmp_path).stderr


def test_typos_in_a_suite_are_told_with_their_lines(tmp_path: Path) -> None:
    text = re.sub(r"steps: \d+", "steps: -1", SUITE.read_text()).replace("seeds:", "seedz:")
    (tmp_path / "suite.yaml").write_text(text)
    done = cl_seg("plan", "suite.yaml", cwd=tmp_path)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2 and len(lines) == 2
    assert any("training.steps" in x and "greater than 0, not -1" in x for x in lines)
    assert any("seedz" in x and "did you mean seeds?" in x for x in lines)
    assert all(line.startswith("cl-seg: suite.yaml:") for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("classes: [muscle, liver]", "classes: [muscle, spleen]", "no class spleen"),
        ("size: 64", "size: 512", "larger than the 256 pixels"),
        ("stress_native", "stress_nativ", "stress_native"),
        ("seeds: [0]", "orders: [[siemens_like, ge_lik]]", "did you mean ge_like?"),
        ("seeds: [0]", "orders: [[ge_like], [ge_like]]", "listed twice"),
    ],
)
def test_plan_refuses_what_does_not_fit_the_simulated_data(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = SUITE.read_text()
    assert old in text
    (tmp_path / "suite.yaml").write_text(text.replace(old, new))
    done = cl_seg("plan", "suite.yaml", cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
