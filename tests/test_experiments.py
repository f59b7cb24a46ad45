"""Our suites can be read, and the benchmark commands run.

What those measure is in ``results/reference/performance.md``.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cl_seg.suite.plan import load_suite, plan_runs

ROOT = Path(__file__).parents[1]
SUITES = sorted(p for p in (ROOT / "experiments").rglob("*.yaml") if p.name != "claims.yaml")


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_suite_of_ours_can_be_read(path: Path) -> None:
    suite = load_suite(path)
    if suite.data.phantom is not None:
        assert plan_runs(suite, suite.data.phantom.scanners)


@pytest.mark.parametrize("path", sorted((ROOT / "experiments/paper/full").glob("*.yaml")))
def test_a_suite_of_the_study_in_full_size_asks_the_same(path: Path) -> None:
    full, small = load_suite(path), load_suite(path.parents[1] / path.name)
    assert full.name == small.name, "claims find suites by name"
    assert [m.label for m in full.models] == [m.label for m in small.models]
    assert [s.name for s in full.strategies] == [s.name for s in small.strategies]
    assert (full.classes, full.tools) == (small.classes, small.tools)
    assert full.image.size > small.image.size and len(full.seeds) >= len(small.seeds)
    assert full.training.steps > small.training.steps


def test_coverage_of_intervals_is_computed_from_results() -> None:
    stress = "results/reference/strategies/stress"
    done = subprocess.run(
        [sys.executable, "experiments/intervals.py", stress, "--trials", "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "| 20 |" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "options", "says"),
    [
        ("planning", ["--runs", "480"], "runs"),
        ("sharing", ["--steps", "4"], "same bits"),
        ("workers", ["--steps", "4"], "same bits"),
        ("step_overhead", ["--steps", "2", "--rounds", "2"], "ratio"),
        ("strategy_cost", ["--epochs", "1", "--rounds", "2", "--network", "unet"], "EWC after"),
        ("versus_avalanche", ["--steps", "6", "--network", "unet", "--rectangles"], "wall time"),
    ],
)
def test_a_benchmark_command_runs(script: str, options: list[str], says: str) -> None:
    done = subprocess.run(
        [sys.executable, f"experiments/performance/{script}.py", *options],
        cwd=ROOT,
        env={**os.environ, "WANDB_MODE": "disabled", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and says in done.stdout, done.stdout + done.stderr
