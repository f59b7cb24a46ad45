"""Records: what is written is read, older files are migrated, and damage is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.records.load import load_results, read_plan
from cl_seg.records.migration import SCHEMA
from cl_seg.records.record import parse_record, read_record
from cl_seg.records.run_spec import SeedImagesSpec
from cl_seg.records.tables import PACKED

from .factory import held_out, in_record, run_record, run_result, write_record, write_run

COMMITTED = sorted((Path(__file__).parents[2] / "results" / "reference").rglob(PACKED))
FIRST: dict[str, Any] = {
    "run_id": "unet-naive-order2-seed1",
    "suite": "quick",
    "key": "ab" * 32,
    "spec": {
        "order": ["b", "a"],
        "model": {"name": "unet", "label": "unet", "preset": "small", "arguments": {}},
        "learning_rate": 0.01,
        "strategy": {"name": "naive", "settings": {}, "label": "naive"},
        "seed": 1,
        "classes": ["liver"],
        "split": {"by": "patient", "test": 0.25, "validation": 0.25, "seed": 0},
        "image": {"size": 64, "window_hu": [-160.0, 240.0]},
        "training": {"steps": 5, "batch_size": 4, "momentum": 0.9, "threads": 1},
        "learned_dice": {"liver": 0.8},
    },
    "model": "UNet",
    "strategy": "Naive",
    "place": [0, 0, 1, 1],
    "joint": False,
    "schedule": "sequential",
    "scored_apart": False,
    "scanner_names": {"a": "Scanner A", "b": "Scanner B"},
    "data": {"content": "0" * 64, "kind": "simulated"},
    "R": {"liver": [[0.1, None], [0.9, 0.5], [0.6, 0.8]], "mean": [[0, 0], [0.9, 0.5], [0.6, 0.8]]},
    "stages": [{"steps": 5, "train_seconds": 1.0}],
    "device": "cpu",
    "processor": "any",
    "versions": {"torch": "2"},
    "git_commit": "1234",
}


def first(**changes: Any) -> str:
    """A file without a version, with some fields changed; None takes one out."""
    return json.dumps({k: v for k, v in (FIRST | changes).items() if v is not None})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    run = run_result()
    write_record(tmp_path / "run", run)
    assert read_record(tmp_path / "run" / "run.json") == run.record
    assert json.loads((tmp_path / "run" / "run.json").read_text())["schema"] == 2


def test_scanners_held_out_are_written_beside_R_and_only_then(tmp_path: Path) -> None:
    run = run_result(**held_out())
    write_record(tmp_path / "run", run)
    assert read_record(tmp_path / "run" / "run.json") == run.record
    assert not {"R_held_out", "held_out"} & run_record().as_json().keys()
    for rows in ([[0.0], [0.5]], [[0.0, 0.1]] * 3):
        in_record(tmp_path / "run", "R_held_out", "mean", value=rows)
        with pytest.raises(ValueError, match="R_held_out does not have 3 rows of 1 scanners"):
            read_record(tmp_path / "run" / "run.json")
    in_record(tmp_path / "run", "R_held_out", value={})
    with pytest.raises(ValueError, match="R_held_out is not of the classes"):
        read_record(tmp_path / "run" / "run.json")


def test_a_file_without_a_version_is_migrated() -> None:
    record = parse_record(first())
    assert (record.order_number, record.schedule) == (2, "sequential")
    assert not record.scores_with_memory
    assert record.spec.seed_images is None
    assert record.spec.as_suite_fields() == FIRST["spec"], "as it was, with what is unknown today"
    assert parse_record(json.dumps(record.as_json())) == record


def test_the_schedule_of_older_files_is_told_by_joint() -> None:
    joint = {"mean": [[0, 0], [0.9, 0.5]], "liver": [[0, 0], [0.9, 0.5]]}
    assert parse_record(first(schedule=None)).schedule == "sequential"
    assert parse_record(first(schedule=None, joint=True, R=joint)).is_joint
    with pytest.raises(ValueError, match="schedule"):
        parse_record(first(schedule=None, joint=None))


def test_a_strategy_scored_apart_has_a_part_in_scores() -> None:
    assert parse_record(first(scored_apart=True)).scores_with_memory


def test_seed_images_of_older_files_become_one_part() -> None:
    labelled = {"seed_images": 4, "by": "random", "start": "transfer", "base": ["b"]}
    spec = FIRST["spec"] | labelled
    record = parse_record(first(spec=spec, schedule="seed_curve", place=[0, 0, 2, 0, 1, 1]))
    expected = SeedImagesSpec(count=4, by="random", start="transfer", base=("b",))
    assert record.spec.seed_images == expected
    assert record.spec.as_suite_fields() == spec
    assert record.order_number == 1, "a seed curve has one order, the third is that of strategies"
    assert parse_record(json.dumps(record.as_json())) == record


@pytest.mark.parametrize("schema", [0, SCHEMA + 1, 99, "two", 2.5, None, [2]])
def test_a_record_of_another_schema_is_refused(tmp_path: Path, schema: Any) -> None:
    in_record(write_run(tmp_path, "Naive"), "schema", value=schema)
    with pytest.raises(InputError, match=r"schema: expected 1 to 2, not .* of another cl_seg"):
        load_results(tmp_path)


@pytest.mark.parametrize("field", ["device", "stages", "data", "versions", "git_commit", "suite"])
def test_a_record_that_does_not_say_where_it_comes_from_is_damaged(field: str) -> None:
    content = {k: v for k, v in run_record().as_json().items() if k != field}
    with pytest.raises(ValueError, match=f"{field} is missing"):
        parse_record(json.dumps(content))


@pytest.mark.parametrize("text", ["[]", '"text"', "3", "null", '{"spec": []}', '{"place": 3}'])
def test_what_is_no_record_is_no_crash(text: str) -> None:
    with pytest.raises(ValueError, match=r"run_id is missing|expected fields"):
        parse_record(text)


def test_a_view_of_a_class_changes_neither_the_run_nor_its_tables() -> None:
    spec = {"classes": ["muscle", "liver"]}
    r = {"mean": [[0, 0]] * 3, "muscle": [[0.1, 0.1]] * 3, "liver": [[0.2, 0.2]] * 3}
    run = run_result(r["mean"], R=r, spec=spec)
    view = run.of_class("liver")
    assert view.classes == ["liver"] and view.cases is run.cases
    assert (view.matrix() == 0.2).all() and (run.matrix() == 0).all()
    assert run.classes == ["muscle", "liver"]


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.parent.name)
def test_committed_results_are_read(path: Path) -> None:
    lines = path.read_text().splitlines()
    for result, line in zip(load_results(path.parent), lines, strict=True):
        old = json.loads(line)
        record = result.record
        # Newer records of streams say `seed_images: null`; suites of streams have no such field.
        spec = {k: v for k, v in old["spec"].items() if (k, v) != ("seed_images", None)}
        assert record.spec.as_suite_fields() == spec
        assert json.loads(json.dumps(record.R)) == old["R"]
        assert (record.model, record.strategy) == (old["model"], old["strategy"])
        assert [row.model_dump() for row in record.stages] == old["stages"]
        seeds = record.spec.seed_images is not None
        order = 1 if seeds else int(record.run_id.split("-order")[1].split("-")[0])
        assert record.order_number == order


def test_both_forms_of_a_plan_are_read(tmp_path: Path) -> None:
    assert read_plan(tmp_path) == {}
    keys = {"b": "1", "a": "2"}
    runs = [{"run_id": name, "key": key, "order": ["x"]} for name, key in keys.items()]
    for plan in (keys, {"schema": 1, "suite": "s", "runs": runs}):
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        assert list(read_plan(tmp_path).items()) == list(keys.items())


@pytest.mark.parametrize("runs", [[{"run_id": "a"}], [3], ["a"], [None]])
def test_a_plan_whose_runs_lack_their_keys_is_damaged(tmp_path: Path, runs: list[Any]) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"runs": runs}))
    with pytest.raises(InputError, match=r"plan\.json is damaged"):
        read_plan(tmp_path)
