"""Later experiences with a rate and a length of their own, from the suite to the record."""

from pathlib import Path

import numpy as np
import pytest

from cl_seg.planning.plan import resolve
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from cl_seg.suite.cache import StageCache
from cl_seg.suite.stages.experience import training_loop
from cl_seg.suite.stages.inputs import StageInputs
from cl_seg.suite.stages.stop_control import StopControl

from .conftest import run

LATER = "later: {rate_factor: 0.1, steps_factor: 0.5}, "


def by_strategy(results: Path) -> dict[str, RunResult]:
    return {one.record.spec.strategy.name: one for one in load_results(results)}


def test_records_state_the_steps_and_the_first_stage_is_shared(
    suite_text: str, tmp_path: Path
) -> None:
    plain, other = tmp_path / "plain", tmp_path / "other"
    _, failed = run(suite_text, plain)
    _, failed_later = run(suite_text.replace("{steps", "{" + LATER + "steps"), other)
    assert not failed and not failed_later
    before, after = by_strategy(plain), by_strategy(other)
    steps = {name: [row.steps for row in one.record.stages] for name, one in after.items()}
    assert steps == {"naive": [12, 6, 6], "replay": [12, 6, 6], "ewc": [12, 6, 6], "joint": [36]}
    for name in ("naive", "replay", "ewc"):
        first, second = before[name].matrix(), after[name].matrix()
        np.testing.assert_array_equal(first[:2], second[:2])
        assert (first[2:] != second[2:]).any()
    np.testing.assert_array_equal(before["joint"].matrix(), after["joint"].matrix())
    recorded = after["naive"].record.spec.training.later
    assert (recorded.rate_factor, recorded.steps_factor) == (0.1, 0.5)
    assert "later" not in before["naive"].record.as_json()["spec"]["training"]
    page = "Stages that train a network further: 0.5 × the steps, 0.1 × the learning rate."
    assert page in (other / "report.html").read_text()
    assert "train a network further" not in (plain / "report.html").read_text()


@pytest.mark.parametrize(("position", "rate", "steps"), [(1, 0.05, 12), (2, 0.005, 6)])
def test_the_loop_of_a_stage_has_its_rate_and_steps(
    suite_text: str, tmp_path: Path, position: int, rate: float, steps: int
) -> None:
    file = tmp_path / "suite.yaml"
    file.write_text(suite_text.replace("{steps", "{" + LATER + "steps"))
    cache = StageCache(tmp_path / "stages")
    plan = resolve(file, cache=cache.folder)
    untrained = next(stage for stage in plan.stages.values() if stage.position == 0)
    inputs = StageInputs(untrained, cache, StopControl(lambda: False))
    settings = training_loop(inputs, position, []).settings
    assert settings.learning_rate == pytest.approx(rate) and settings.steps == steps
    assert settings.steps_before == 12 * (position - 1)
