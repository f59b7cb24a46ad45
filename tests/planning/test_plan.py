"""A plan is resolved once, from a file, a dict or a suite, and written for people to read."""

import json
import pickle
from itertools import chain
from pathlib import Path

import pytest
import yaml

from cl_seg.api.plan import Plan as PlannedSuites
from cl_seg.api.suite import Suite
from cl_seg.messages.errors import InputError
from cl_seg.planning.checked_suite import parse_suite
from cl_seg.planning.plan import Plan, resolve
from cl_seg.planning.plan_file import planned_split, suite_content, write_plan
from cl_seg.scans.rows import parse_ranges
from cl_seg.scans.store import SliceStore
from tests.planning.test_stage_graph import several


def written(plan: Plan, folder: Path) -> dict:
    write_plan(folder, plan)
    return json.loads((folder / "plan.json").read_text())


@pytest.fixture
def file(suite_text: str, tmp_path: Path) -> Path:
    path = tmp_path / "suite.yaml"
    path.write_text(suite_text)
    return path


def test_a_file_its_content_and_a_suite_are_one_plan(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load(file.read_text())
    suites = [file, str(file), content, parse_suite(file)]
    plans = [resolve(suite, cache=tmp_path / "stages") for suite in suites]
    first = written(plans[0], tmp_path)
    for plan in plans[1:]:
        assert plan.stages == plans[0].stages and written(plan, tmp_path) == first


def test_modules_of_a_suite_without_a_file_are_in_the_current_folder(
    suite_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load(suite_text)
    content["models"] = [{"name": "here_only:build", "learning_rate": 0.1}]
    with pytest.raises(InputError, match="tiny: here_only:build: there is no module here_only"):
        resolve(content, cache=tmp_path / "stages")
    (tmp_path / "here_only.py").write_text("build = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    plan = resolve(content, cache=tmp_path / "stages")
    assert plan.checked and plan.checked.modules == {"here_only": tmp_path / "here_only.py"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seedz": [1]}, "seedz: unknown field: did you mean seeds?"),
        ({"training": {}}, "training.steps is missing"),
        ({"models": ["unett"]}, "did you mean unet?"),
        ({"kind": "river"}, "unknown kind river: expected stream, seed_curve or update"),
    ],
)
def test_faults_of_a_suite_without_a_file_name_the_field(
    suite_text: str, change: dict[str, object], told: str
) -> None:
    with pytest.raises(InputError) as refused:
        resolve(yaml.safe_load(suite_text) | change)
    assert told in str(refused.value) and len(str(refused.value).splitlines()) == 1


def test_another_store_replaces_that_of_a_dict(
    suite_text: str, store: Path, tmp_path: Path
) -> None:
    content = yaml.safe_load(suite_text) | {"data": {"store": str(tmp_path / "nowhere")}}
    assert resolve(content, store, tmp_path / "stages").context.store == store


def test_the_file_says_what_is_run_on_which_data(file: Path, store: Path, tmp_path: Path) -> None:
    plan = resolve(file, cache=tmp_path / "stages")
    content, header = written(plan, tmp_path), SliceStore(store).header
    assert content["schema"] == 1 and content["name"] == "tiny"
    assert content["suite"]["seeds"] == [0], "defaults are filled in"
    assert content["data"] == {
        "store": str(store),
        "content": header.content_sha256,
        "kind": "simulated",
    }
    assert content["scanners"] == header.scanners
    assert content["environment"]["device"] == "cpu" and "torch" in content["environment"]
    for scanner, parts in content["split"].items():
        cases = [case for part in parts.values() for case in part["cases"]]
        assert sorted(cases) == [f"{scanner}-case{k}" for k in range(6)]
        assert sum(part["slices"] for part in parts.values()) == 18
    replay = content["runs"][1]
    assert replay["run_id"] == "build-replay-order1-seed0" and replay["key"] == plan.runs[1].key
    assert replay["experiences"] == [["bright"], ["dark"], ["plain"]]
    assert replay["steps"] == [12, 12, 12] and replay["selections"] == replay["order"]
    keys = replay["stages"]
    assert len(keys["train"]) == 3 and len(keys["consolidate"]) == 2 and len(keys["evaluate"]) == 4
    assert {*keys["train"], *keys["consolidate"], *chain(*keys["evaluate"])} <= plan.stages.keys()


def test_the_file_says_how_later_experiences_are_trained(
    file: Path, tmp_path: Path, suite_text: str
) -> None:
    assert "later" not in written(resolve(file, cache=tmp_path), tmp_path)["suite"]["training"]
    content = yaml.safe_load(suite_text)
    content["training"]["later"] = {"rate_factor": 0.1}
    plan = written(resolve(content, cache=tmp_path), tmp_path)
    assert plan["suite"]["training"]["later"] == {"rate_factor": 0.1, "steps_factor": 1.0}
    by_strategy = {run["strategy"]: run for run in plan["runs"]}
    assert by_strategy["naive"]["learning_rates"] == pytest.approx([0.05, 0.005, 0.005])
    assert by_strategy["joint"]["learning_rates"] == [0.05]
    again = parse_suite(plan["suite"])
    assert again.training.later.rate_factor == 0.1


SUITES = [
    path
    for path in sorted((Path(__file__).parents[2] / "experiments").rglob("*.yaml"))
    if "\nkind: " in "\n" + path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", SUITES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_suite_in_the_file_is_the_suite_again(path: Path) -> None:
    """With the settings that a strategy has on one network, its networks and its grid."""
    suite = parse_suite(path)
    again = parse_suite(json.loads(json.dumps(suite_content(suite))))
    assert again.model_dump() == suite.model_dump()
    for one, other in zip(again.strategies, suite.strategies, strict=True):
        assert one.points == other.points and one.networks == other.networks
        for model in suite.models:
            assert one.for_network(model.label) == other.for_network(model.label)


def test_a_plan_of_data_still_to_be_simulated_says_so(tmp_path: Path) -> None:
    text = several(tmp_path, "[naive]").replace(
        f"data: {{store: {tmp_path}}}",
        "data: {phantom: {scanners: [siemens_like, ge_like], own_bodies: 3, shared_bodies: 2, "
        "size: 64}}",
    )
    plan = resolve(yaml.safe_load(text), cache=tmp_path / "stages")
    assert not plan.has_data and not plan.context.rows
    content = written(plan, tmp_path)
    assert content["split"] == {} and content["data"]["content"] == ""
    assert content["data"]["kind"] == "simulated"
    assert content["scanners"].keys() == {"siemens_like", "ge_like"}


def test_the_split_is_drawn_once_for_all_runs(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cl_seg.planning.plan as plan_module

    drawn: list[int] = []
    real = plan_module.split_slices

    def counted(*arguments: object) -> object:
        drawn.append(1)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(plan_module, "split_slices", counted)
    text = several(store, "[naive, replay]", "all", "[0, 1, 2]")
    plan = resolve(yaml.safe_load(text), cache=tmp_path / "stages")
    assert len(drawn) == 1 and len(plan.runs) == 2 * 6 * 3


def test_a_job_is_sent_the_rows_and_not_the_graph(store: Path, tmp_path: Path) -> None:
    text = several(store, "[naive, replay, ewc]", "all", str(list(range(20))))
    plan = resolve(yaml.safe_load(text), cache=tmp_path / "stages")
    sizes = [len(pickle.dumps((stage,))) for stage in plan.stages.values()]
    assert len(sizes) > 3000 and max(sizes) < 10_000
    stage = pickle.loads(pickle.dumps(plan.runs[0])).context
    assert len(parse_ranges(stage.rows["dark"]["train"])) == stage.counts["dark"]["train"] > 0


def test_all_suites_are_read_before_the_data_of_the_first(file: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("kind: stream\n")
    with pytest.raises(InputError, match=r"wrong\.yaml"):
        suites = [Suite(path) for path in (file, tmp_path / "wrong.yaml")]
        PlannedSuites(suites, cache=tmp_path / "stages")
    assert not (tmp_path / "stages").exists()


def test_the_split_of_a_plan_is_read_back_and_older_plans_have_none(tmp_path: Path) -> None:
    rows = {"train": {"rows": "0-3 7", "slices": 5}, "test": {"rows": "4-6", "slices": 3}}
    plan = {"data": {"store": "my.store"}, "split": {"alpha": rows}, "runs": []}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    expected = Path("my.store"), {"alpha": {"train": "0-3 7", "test": "4-6"}}
    assert planned_split(tmp_path) == expected
    (tmp_path / "plan.json").write_text(json.dumps({"run": "key"}))
    assert planned_split(tmp_path) is None
    (tmp_path / "plan.json").write_text(json.dumps({"split": {"alpha": 1}}))
    with pytest.raises(InputError, match="is damaged"):
        planned_split(tmp_path)
