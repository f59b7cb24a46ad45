"""Our suites can be read, and the benchmark commands run.

What those measure is in ``results/reference/performance.md``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cl_seg.planning.checked_suite import parse_suite
from cl_seg.planning.grid import plan_runs
from cl_seg.spec.choices import StrategyChoice
from cl_seg.spec.suite import StreamSuite

ROOT = Path(__file__).parents[1]
SUITES = sorted(p for p in (ROOT / "experiments").rglob("*.yaml") if p.name != "claims.yaml")


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_suite_of_ours_can_be_read(path: Path) -> None:
    suite = parse_suite(path)
    if suite.data.phantom is not None:
        assert plan_runs(suite, suite.data.phantom.all_scanners)


def settings(choice: StrategyChoice, networks: list[str], scale: float) -> list[dict[str, Any]]:
    """With λ times that, as the loss is a mean over pixels, and without sizes of memories."""
    changed = {"ewc_lambda": lambda value: round(value * scale, 12), "budget": lambda _: None}
    each = (choice.for_network(name).settings for name in networks)
    return [{k: changed.get(k, lambda v: v)(v) for k, v in own.items()} for own in each]


@pytest.mark.parametrize("path", sorted((ROOT / "experiments/paper/full").glob("*.yaml")))
def test_a_suite_of_the_study_in_full_size_asks_the_same(path: Path) -> None:
    full, small = parse_suite(path), parse_suite(path.parents[1] / path.name)
    assert full.name == small.name, "claims find suites by name"
    assert [m.label for m in full.models] == [m.label for m in small.models]
    scale = (small.image.size / full.image.size) ** 2
    networks = [model.label for model in small.models]
    assert [(s.name, settings(s, networks, 1.0)) for s in full.strategies] == [
        (s.name, settings(s, networks, scale)) for s in small.strategies
    ]
    assert (full.classes, full.tools) == (small.classes, small.tools)
    assert full.image.size > small.image.size and len(full.seeds) >= len(small.seeds)
    assert full.training.steps > small.training.steps


@pytest.mark.parametrize("size", ["small", "full"])
def test_a_base_model_is_trained_and_chosen_on_randomised_simulated_scanners_alone(
    size: str,
) -> None:
    suite = parse_suite(ROOT / f"experiments/base_model/{size}.yaml")
    assert isinstance(suite, StreamSuite)
    assert suite.data.store is None and suite.data.phantom is not None
    assert suite.data.phantom.scanners == ["randomised"] and not suite.held_out
    assert [choice.name for choice in suite.strategies] == ["joint"]
    assert not suite.training.augment.gin.is_off and not suite.training.flip
    assert suite.training.curve_every and suite.training.steps % suite.training.curve_every == 0
    assert not any(model.load for model in suite.models)


def test_coverage_is_that_of_the_variances_seen() -> None:
    sys.path.insert(0, str(ROOT / "experiments"))
    import intervals

    random = np.random.default_rng(0)
    effects = random.exponential(size=50)
    assert intervals.scaled(effects - effects.mean(), 0.25).var() == pytest.approx(0.25)
    assert not intervals.scaled(effects, -1.0).any()
    few = random.normal(size=(20, 1)) + random.normal(size=(20, 4))
    holds, above = intervals.resampled(few, 10, 400)
    assert 0.9 <= holds <= 0.99 and 0.005 <= above <= 0.06
    every = list(intervals.values_of(ROOT / "results/reference/strategies/stress"))
    assert len(every) > 100 and {one.shape[1] for one in every} == {3}


def test_replicates_are_simulated_with_the_variances_and_skewness_asked_for() -> None:
    sys.path.insert(0, str(ROOT / "experiments"))
    import intervals_of_replicates as of_replicates

    random = np.random.default_rng(0)
    for skewness in (0.0, -2.4, 1.0):
        drawn = of_replicates.skewed(random, skewness, (200_000,))
        assert drawn.mean() == pytest.approx(0, abs=0.01)
        assert drawn.std() == pytest.approx(1, abs=0.02)
        assert (drawn**3).mean() == pytest.approx(skewness, abs=0.15)
    track = of_replicates.TRACKS["stress"]
    few = of_replicates.simulated(track, 0.0, (14, 10), 300)
    assert few.shape == (300, 14, 10)
    held, above, below = of_replicates.shares(few)
    assert held + above + below == pytest.approx(100)
    assert 90 < held < 99 and above < 7 and below < 7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "options", "says"),
    [
        ("planning", ["--runs", "480"], "runs"),
        ("sharing", ["--steps", "4"], "same bits"),
        ("workers", ["--steps", "4"], "same bits"),
        ("evaluation", [".", "--steps", "2", "--rounds", "2"], "same numbers"),
        ("step_overhead", ["--steps", "2", "--rounds", "2"], "ratio"),
        ("style_cost", ["--steps", "2", "--rounds", "2"], "all of them"),
        ("scoring_cost", ["--rounds", "2"], "tent"),
        ("strategy_cost", ["--epochs", "1", "--rounds", "2", "--network", "unet"], "EWC after"),
        ("training", [".", "--steps", "4", "--network", "unet", "--rectangles"], "wall time"),
        ("precision", ["--steps", "4", "--seeds", "2", "--rectangles"], "within 0.005"),
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


@pytest.mark.parametrize(
    "options",
    [
        ["--bodies", "1", "--scanners", "stress_native", "--sizes", "64"],
        pytest.param(["--bodies", "4", "--sizes", "64", "128"], marks=pytest.mark.slow),
        pytest.param(["--bodies", "2", "--grid", "256", "--sizes", "96"], marks=pytest.mark.slow),
    ],
)
def test_a_network_without_an_error_measures_what_was_painted(options: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "experiments/simulator/areas.py", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert done.returncode == 0 and rows, done.stderr
    for _, name, _, painted, *off, _dice, _plain in rows:
        assert float(painted) > 50
        assert max(abs(float(percent)) for percent in off) <= (1 if name == "muscle" else 2), rows


@pytest.mark.slow
def test_the_seed_round_trip_takes_anonymised_ct_with_slices_that_hold_no_liver(
    tmp_path: Path,
) -> None:
    from cl_seg.inference.saved_model import save_model
    from cl_seg.models.build import build_model
    from tests.inference.test_saved_model import CONTENT
    from tests.scans.conftest import volume, write_nifti, write_series

    def anonymised(ds: Any, _: int) -> None:
        ds.Manufacturer = ds.ManufacturerModelName = ds.PatientID = ds.PatientName = ""

    write_series(tmp_path / "ct", range(0, 40, 5), anonymised)
    labels = (volume(8) == 110).astype(np.uint8)
    labels[:3] = 0
    write_nifti(tmp_path / "labels.nii.gz", labels)
    card = CONTENT.model_copy(update={"classes": ["liver"], "trained": {"learning_rate": 0.01}})
    network = build_model("vnet", "small", {}, 2, 32)
    save_model(tmp_path / "model", network.state_dict(), card)
    names = [str(tmp_path / name) for name in ("ct", "labels.nii.gz", "model", "out")]
    done = subprocess.run(
        [sys.executable, "experiments/simulator/seed_round_trip.py", *names, "--steps", "4"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["slices with liver scored"] + found["slices without"] == 5
    assert 0 <= found["dice before"] <= 1 and 0 <= found["dice after"] <= 1
    assert (tmp_path / "out" / "round_trip.png").is_file()
