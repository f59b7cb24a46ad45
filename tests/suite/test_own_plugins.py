"""Somebody else's Avalanche plugin by import path: run as it is, kept where it can be kept."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cl_seg.api.plan import Plan as PlannedSuites
from cl_seg.api.suite import Suite
from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import Plan, resolve
from cl_seg.scans.store import SliceStore
from cl_seg.suite.cache import StageCache
from cl_seg.suite.summary import json_summary, summary, trainings

from .conftest import run
from .test_run import records
from .test_stages import alone

PLUGINS = "tests.suite.tiny_plugins:"


def with_strategies(suite_text: str, *strategies: str, orders: str = "as_listed") -> str:
    head, tail = suite_text.split("strategies:")
    listed = "".join(f"\n  - {strategy}" for strategy in strategies)
    return f"{head}strategies:{listed}\norders: {orders}\ntraining{tail.split('training')[1]}"


def plugin(name: str, settings: str = "{}", label: str = "") -> str:
    label = f", label: {label}" if label else ""
    return f'{{name: "{PLUGINS}{name}", settings: {settings}{label}}}'


def planned(text: str, folder: Path) -> Plan:
    (folder / "suite.yaml").write_text(text)
    return resolve(folder / "suite.yaml", cache=folder / "stages")


def test_each_equals_one_avalanche_loop_with_the_plugin_in_it(
    suite_text: str, store: Path, tmp_path: Path
) -> None:
    text = with_strategies(
        suite_text,
        "naive",
        plugin("Anchor", "{strength: 0.01}"),
        plugin("KeptAnchor", "{strength: 0.01}"),
        orders="[[bright, dark, plain], [bright, plain, dark]]",
    )
    text = text.replace("steps: 12", "steps: 40").replace("0.05", "0.02")
    _, failed = run(text, tmp_path / "results", workers=2)
    assert not failed
    found = records(tmp_path / "results")
    plan = resolve(tmp_path / "suite.yaml", cache=tmp_path / "stages")
    assert len({str(record.R) for record in found.values()}) == 4, "both act alike, and both act"
    for one in (stages.run for stages in plan.runs):
        expected = alone(one, plan.context, SliceStore(store))
        for name, matrix in found[one.run_id].R.items():
            assert (np.array(matrix, dtype=float) == expected[name]).all(), one.run_id
    stages = found["build-Anchor-order1-seed0"].stages
    assert [row.selection for row in stages] == ["bright", "dark", "plain"]
    assert [row.steps for row in stages] == [40, 40, 40]


def test_what_keeps_its_state_is_shared_from_the_first_experience_on(
    suite_text: str, tmp_path: Path
) -> None:
    text = with_strategies(
        suite_text,
        "naive",
        plugin("KeptAnchor"),
        orders="[[bright, dark, plain], [bright, plain, dark]]",
    )
    graph = planned(text, tmp_path).graph
    assert trainings(graph) == (12, 10), "the first experience once for naive, once for the plugin"
    assert not any(stage.kind == "consolidate" for stage in graph.stages.values())


def test_what_keeps_none_is_one_stage_and_the_plan_says_so(suite_text: str, tmp_path: Path) -> None:
    text = with_strategies(
        suite_text,
        plugin("Anchor"),
        plugin("Anchor", "{strength: 1}", "strong"),
        plugin("KeptAnchor"),
        orders="[[bright, dark, plain], [bright, plain, dark]]",
    )
    plan, cache = planned(text, tmp_path), StageCache(tmp_path / "stages")
    whole = [stage for stage in plan.stages.values() if not stage.resumable]
    assert len(whole) == 4 and all(stage.steps == 36 and not stage.needed_keys for stage in whole)
    said = [line for line in summary([plan], cache) if "keeps no state" in line]
    assert [line.split()[0] for line in said] == ["Anchor", "strong"]
    assert all("2 runs share no training, and what is interrupted" in line for line in said)
    stages = json.loads(json_summary([plan], cache))["stages"].values()
    assert sum(not stage["resumable"] for stage in stages) == 4


def test_a_run_in_one_piece_is_stopped_and_started_anew(suite_text: str, tmp_path: Path) -> None:
    from cl_seg.suite.stages.compute import compute_stage
    from cl_seg.suite.stages.stop_control import StopControl
    from cl_seg.training.checkpoint import TrainingStopped

    text = with_strategies(suite_text, plugin("Anchor"))
    graph = planned(text, tmp_path)
    cache = StageCache(tmp_path / "stages")
    (stage,) = (s for s in graph.stages.values() if s.kind == "train")
    steps = 0

    def stop() -> bool:
        nonlocal steps
        steps += 1
        return steps == 20

    with pytest.raises(TrainingStopped):
        compute_stage(stage, cache, StopControl(stop))
    assert not cache.has(stage.key) and not cache.unfinished(), "nothing is left to go on from"
    _, failed = run(text, tmp_path / "results")
    (tmp_path / "undisturbed").mkdir()
    run(text, tmp_path / "undisturbed" / "results")
    assert not failed
    matrices: list[Any] = [
        [record.R for record in records(folder / "results").values()]
        for folder in (tmp_path, tmp_path / "undisturbed")
    ]
    assert matrices[0] == matrices[1]


def test_a_network_that_a_plugin_put_there_is_the_one_that_is_tested(
    suite_text: str, tmp_path: Path
) -> None:
    unchecked = [plugin(name)[:-1] + ", check: false}" for name in ("Replacing", "Idle")]
    text = with_strategies(suite_text, *unchecked)
    _, failed = run(text.replace("steps: 12", "steps: 40"), tmp_path / "results")
    replacing, idle = (record.R for record in records(tmp_path / "results").values())
    assert not failed and replacing == idle and replacing["liver"][3] != replacing["liver"][0]


def test_the_clock_goes_on_where_a_training_was_stopped(suite_text: str, tmp_path: Path) -> None:
    from cl_seg.suite.stages.compute import compute_stage
    from cl_seg.suite.stages.stop_control import StopControl
    from cl_seg.training.checkpoint import TrainingStopped

    text = with_strategies(suite_text, plugin("Clocked"))
    graph, cache = planned(text, tmp_path), StageCache(tmp_path / "stages")
    first = next(stage for stage in graph.stages.values() if stage.kind == "train")
    calls = iter(range(100))
    with pytest.raises(TrainingStopped):
        compute_stage(first, cache, StopControl(lambda: next(calls) == 7))
    _, failed = run(text, tmp_path / "results")
    (tmp_path / "undisturbed").mkdir()
    _, failed_too = run(text, tmp_path / "undisturbed" / "results")
    assert not failed and not failed_too
    (one,), (other,) = (
        records(folder / "results").values() for folder in (tmp_path, tmp_path / "undisturbed")
    )
    assert one.R == other.R


def test_modules_of_one_name_beside_two_suites_are_refused(suite_text: str, tmp_path: Path) -> None:
    suites = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same_name.py").write_text("import same_helper\nclass P: ...\n")
        (tmp_path / name / "same_helper.py").write_text(f"which = '{name}'\n")
        text = with_strategies(suite_text, '{name: "same_name:P"}')
        (tmp_path / name / "suite.yaml").write_text(text.replace("name: tiny", f"name: {name}"))
        suites.append(tmp_path / name / "suite.yaml")
    with pytest.raises(InputError, match="for another suite given with it"):
        PlannedSuites([Suite(path) for path in suites], cache=tmp_path / "stages")


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        (plugin("Wrapping"), "replaced the network by one with other weights"),
        (plugin("Anchor", "{force: 1}"), "cannot be made with settings.*force"),
        (plugin("NoPlugin"), "no Avalanche plugin"),
        (plugin("Unkeepable"), "must be tensors and plain data"),
    ],
)
def test_an_unchecked_plugin_that_cannot_run_fails_with_one_line(
    suite_text: str, tmp_path: Path, strategy: str, reason: str
) -> None:
    unchecked = strategy[:-1] + ", check: false}"
    _, (failed,) = run(with_strategies(suite_text, unchecked), tmp_path / "results")
    assert re.search(reason, failed) and "\n" not in failed
    assert not (tmp_path / "results" / "failed").exists(), "no traceback for what the user can mend"


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        (plugin("Idle"), "build, acts: weights after 3 experiences equal plain fine-tuning"),
        (plugin("Wrapping"), "changes nothing else: it replaced the network"),
        (plugin("Anchor", "{force: 1}"), "runs: refused: .*cannot be made with settings.*force"),
        (plugin("NoPlugin"), "runs: refused: .*no Avalanche plugin"),
        (plugin("Unkeepable"), "keeps its state: "),
        (plugin("Forgetful"), "keeps its state: taken up from files, .* trains other weights"),
        ('{name: "avalanche.training.plugins:LwFPlugin", settings: {}}', "runs: "),
    ],
)
def test_a_plugin_that_breaks_the_contract_is_refused_before_anything_is_trained(
    suite_text: str, tmp_path: Path, strategy: str, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        run(with_strategies(suite_text, "naive", strategy), tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module:Anchor", "there is no module no_such_module"),
        (PLUGINS + "Ancor", "there is no Ancor"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_by_the_plan(
    suite_text: str, tmp_path: Path, target: str, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        planned(with_strategies(suite_text, f'{{name: "{target}"}}'), tmp_path)


def test_avalanches_own_plugins_run_in_one_piece(suite_text: str, tmp_path: Path) -> None:
    ewc = '{name: "avalanche.training.plugins:EWCPlugin", settings: {ewc_lambda: 1.0}}'
    text = with_strategies(suite_text, "naive", ewc)
    graph = planned(text, tmp_path)
    assert sum(not stage.resumable for stage in graph.stages.values()) == 1
    _, failed = run(text, tmp_path / "results")
    assert not failed
    r = {k: record.R for k, record in records(tmp_path / "results").items()}
    naive, ewc_r = r["build-naive-order1-seed0"], r["build-EWCPlugin-order1-seed0"]
    assert naive["liver"][1] == ewc_r["liver"][1] and naive["liver"][3] != ewc_r["liver"][3]
