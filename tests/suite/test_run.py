"""Suites from file to report, on a store and a network of a few pixels."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import resolve
from cl_seg.records.record import RunRecord, read_record
from cl_seg.scans.rows import parse_ranges
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.run import run_suites

from ..gpus import install_gpus
from .conftest import made_with, run


def only_naive(text: str) -> str:
    return "\n".join(x for x in text.splitlines() if not x.startswith("  - ") or "naive" in x)


def records(results: Path) -> dict[str, RunRecord]:
    found = [read_record(path) for path in sorted((results / "runs").glob("*/run.json"))]
    return {record.run_id: record for record in found}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def test_same_spec_twice_is_bit_identical_and_finished_runs_are_kept(
    suite_text: str, results: Path, tmp_path: Path
) -> None:
    said, failed = run(suite_text, results, workers=2)
    assert not failed and not said
    first = records(results)
    assert len(first) == 4

    said, _ = run(suite_text, results)
    assert said == ["4 of 4 runs are finished already"]
    assert records(results) == first, "nothing was run again"

    again = tmp_path / "elsewhere" / "again"
    again.parent.mkdir()
    run(suite_text, again)
    for run_id, record in records(again).items():
        assert record.R == first[run_id].R, run_id
        a, b = (pd.read_parquet(r / "runs" / run_id / "cases.parquet") for r in (results, again))
        pd.testing.assert_frame_equal(a, b, check_exact=True)

    said, _ = run(suite_text.replace("steps: 12", "steps: 6"), results)
    changed = records(results)
    assert said == [
        f"4 runs in {results} are of other data, settings or code, to be replaced by this "
        "suite's; --results FOLDER keeps both"
    ]
    assert changed["build-naive-order1-seed0"].stages[0].steps == 6

    naive, replay, ewc = (
        np.array(first[f"build-{s}-order1-seed0"].R["mean"]) for s in ("naive", "replay", "ewc")
    )
    assert (naive[:2] == replay[:2]).all() and (naive[:2] == ewc[:2]).all()
    assert (naive[2:] != replay[2:]).any() and (naive[2:] != ewc[2:]).any()
    assert naive[-1, -1] > naive[0, -1], "training helps"

    page = (results / "report.html").read_text()
    assert "Simulated" in page and page.count("<svg") >= 4
    for name in ("summary.csv", "runs.csv", "summary.md", "figures/forgetting.svg"):
        assert (results / name).stat().st_size > 0


def test_a_run_that_fails_stops_no_other(suite_text: str, results: Path) -> None:
    room = "tests.suite.tiny_network:"
    broken = [room + "build_dying", room + "build_exploding", room + "build_wrong"]
    broken += ["unimportable:build_nothing"]
    text = "import missing_module\n\ndef build_nothing(): ...\n"
    (results.parent / "unimportable.py").write_text(text)
    networks = ", ".join(f"{{name: {name}, learning_rate: 0.1}}" for name in broken)
    text = only_naive(suite_text).replace("models: [", f"models: [{networks}, ")
    _, failed = run(text, results, workers=2)
    reasons = {line.split("-")[0]: line for line in failed}
    assert len(reasons) == len(failed) == 4
    assert "its process was killed" in reasons["build_dying"]
    assert "loss was not finite" in reasons["build_exploding"]
    assert "learning_rate" in reasons["build_exploding"]
    assert "(1, 5, 32, 32), expected logits of shape (1, 3, 32, 32)" in reasons["build_wrong"]
    assert "unimportable:build_nothing cannot be imported" in reasons["build_nothing"]
    assert list(records(results)) == ["build-naive-order1-seed0"]
    assert not list((results / "runs").glob(".*")), "no half-written record"


def test_what_a_killed_command_was_writing_is_removed(suite_text: str, results: Path) -> None:
    text = only_naive(suite_text)
    run(text, results)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    places = [results, *(path for path in results.iterdir() if path.is_dir())]
    assert {"runs", "figures", "tables"} <= {path.name for path in places}
    for place in places:
        (place / f".summary.x1.{socket.gethostname().replace('.', '_')}-{gone.pid}.tmp").touch()
    run(text, results)
    assert not list(results.rglob("*.tmp"))


def test_a_record_that_lost_a_file_is_made_again(suite_text: str, results: Path) -> None:
    text = only_naive(suite_text)
    run(text, results)
    first = records(results)["build-naive-order1-seed0"].R
    (results / "runs" / "build-naive-order1-seed0" / "cases.parquet").unlink()
    shutil.rmtree(results.parent / "stages")
    said, failed = run(text, results)
    assert not said and not failed
    assert first == records(results)["build-naive-order1-seed0"].R


def test_a_class_that_no_test_case_has_is_told_and_reported_not_crashed_on(
    suite_text: str, store: Path, results: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.store"
    shutil.copytree(store, empty)
    (tmp_path / "before.yaml").write_text(suite_text)
    plan = resolve(tmp_path / "before.yaml", cache=tmp_path / "stages")
    labels = np.load(empty / "dark" / "labels.npy")
    labels[parse_ranges(plan.context.rows["dark"]["test"])] = 0
    np.save(empty / "dark" / "labels.npy", labels)
    made_with(empty)
    said, failed = run(only_naive(suite_text).replace(str(store), str(empty)), results)
    assert not failed
    assert (
        f"note: dark: none of its {len(plan.cases['dark']['test'])} test cases has a pixel"
        in said[0]
    )
    assert "not evaluable" in (results / "summary.md").read_text()


def test_a_scanner_none_of_whose_cases_has_a_class_is_refused(
    suite_text: str, store: Path, results: Path, tmp_path: Path
) -> None:
    without = tmp_path / "without.store"
    shutil.copytree(store, without)
    labels = np.load(without / "dark" / "labels.npy")
    labels[labels == 2] = 0
    np.save(without / "dark" / "labels.npy", labels)
    made_with(without)
    text = suite_text.replace(str(store), str(without))
    with pytest.raises(InputError, match="dark: none of its 6 cases has a pixel of liver") as said:
        run(text, results)
    assert len(str(said.value).splitlines()) == 1 and not results.exists()
    _, failed = run(only_naive(text) + "\norders: [[plain, bright]]", results)
    assert not failed, "it is left out"


def test_a_memory_chooses_its_slices_and_the_record_says_what_a_step_sees(
    suite_text: str, results: Path
) -> None:
    settings = "{budget: 4, select: typiclust, batch: added}"
    _, failed = run(suite_text.replace("{budget: 4}", settings), results)
    assert not failed

    def slices(strategy: str) -> list[tuple[int | None, int | None]]:
        stages = records(results)[f"build-{strategy}-order1-seed0"].stages
        return [(stage.new_slices, stage.replayed_slices) for stage in stages]

    assert slices("naive") == slices("ewc") == [(4, 0)] * 3
    assert slices("replay") == [(4, 0), (4, 4), (4, 4)]
    assert "| replayed a step |" in (results / "summary.md").read_text()


def test_a_reference_batch_must_leave_room_for_new_slices(suite_text: str, results: Path) -> None:
    agem = "{name: agem, settings: {reference_batch: 4}}"
    text = suite_text.replace("{name: replay, settings: {budget: 4}}", agem)
    with pytest.raises(InputError, match=r"batch_size is 4: a batch of agem .* make it 5 or more"):
        run(text, results)


@pytest.mark.parametrize("strategy", ["replay", "agem", "der"])
def test_a_memory_needs_batches_of_two(suite_text: str, results: Path, strategy: str) -> None:
    text = suite_text.replace("name: replay", f"name: {strategy}").replace(
        "batch_size: 4", "batch_size: 1"
    )
    with pytest.raises(InputError, match=f"batch_size is 1: a batch of {strategy} holds"):
        run(text, results)
    assert not results.exists()
    path = results.parent / "one.yaml"
    path.write_text(text + "orders: [[bright]]\n")
    assert resolve(path, cache=results.parent / "stages").runs, (
        "nothing is remembered of one scanner"
    )


def test_a_gpu_that_is_not_here_is_noted_by_the_plan_and_refused_by_a_run(
    suite_text: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_gpus(monkeypatch, results.parent / "machine")
    text = only_naive(suite_text).replace("device: cpu", "device: cuda")
    path, cache = results.parent / "suite.yaml", StageCache(results.parent / "stages")
    path.write_text(text)
    plan = resolve(path, cache=cache.folder)
    assert any("this machine has no GPU that torch can use" in note for note in plan.notes)
    with pytest.raises(InputError, match=r"training\.device is cuda, but this machine has no GPU"):
        run(text, results)
    assert not results.exists() and not cache.keys()


def test_few_training_slices_are_noted(suite_text: str, results: Path) -> None:
    path, cache = results.parent / "suite.yaml", results.parent / "stages"
    path.write_text(suite_text)
    assert not resolve(path, cache=cache).notes
    path.write_text(suite_text.replace("batch_size: 4", "batch_size: 64"))
    notes = resolve(path, cache=cache).notes
    assert len(notes) == 3 and notes[0].startswith("bright has 9 training slices for batches of 64")


@pytest.mark.parametrize("file", ["slices.parquet", "dark/hu.npy", "dark/labels.npy", "store.json"])
def test_a_damaged_store_is_named(
    suite_text: str, store: Path, results: Path, tmp_path: Path, file: str
) -> None:
    damaged = tmp_path / "damaged.store"
    shutil.copytree(store, damaged)
    content = (damaged / file).read_bytes()
    (damaged / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=f"{file} is .*damaged"):
        run(suite_text.replace(str(store), str(damaged)), results)
    assert not results.exists()


def test_within_case_is_stamped_on_every_report(suite_text: str, results: Path) -> None:
    run(only_naive(suite_text).replace("split: {", "split: {by: within_case, "), results)
    for name in ("report.html", "summary.md"):
        assert "not a generalisation result" in (results / name).read_text()


def test_a_scanner_with_one_patient_is_refused_before_training(
    suite_text: str, store: Path, results: Path, tmp_path: Path
) -> None:
    lonely = tmp_path / "lonely.store"
    shutil.copytree(store, lonely)
    slices = pd.read_parquet(lonely / "slices.parquet")
    slices.loc[slices.scanner == "dark", "patient"] = "only one"
    slices.to_parquet(lonely / "slices.parquet")
    with pytest.raises(InputError, match=r"dark has 1 patient .*within_case"):
        run(suite_text.replace(str(store), str(lonely)), results)
    assert not results.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("size: 32", "size: 64", "larger than the 32 pixels"),
        ("image:", "classes: [spleen]\nimage:", "spleen"),
        ("data: {store: ", "data: {store: /nowhere", "is not a slice store"),
    ],
)
def test_data_that_do_not_fit_are_refused(
    suite_text: str, results: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run(suite_text.replace(old, new), results)
    assert not results.exists()


def test_a_suite_planned_for_another_processor_is_not_computed_on_this_one(
    suite_text: str, results: Path
) -> None:
    path = results.parent / "suite.yaml"
    path.write_text(only_naive(suite_text))
    cache = StageCache(results.parent / "stages")
    elsewhere = resolve(path, cache=cache.folder, kernel_target="NVIDIA X1")
    here = resolve(path, cache=cache.folder)
    assert not here.stages.keys() & elsewhere.stages.keys()
    (outcome,) = run_suites([elsewhere], [results], cache, SingleEngine(), 1, print)
    (reason,) = outcome.failures.values()
    assert "planned for the processor NVIDIA X1, this machine has" in reason
    named = reason.split("--processor '")[1].rstrip("'")
    assert resolve(path, cache=cache.folder, kernel_target=named).stages == here.stages
    assert not cache.keys()


def test_a_suite_planned_for_other_bfloat16_instructions_is_not_computed_on_this_machine(
    suite_text: str, results: Path
) -> None:
    path = results.parent / "suite.yaml"
    text = only_naive(suite_text).replace("training: {", "training: {precision: bfloat16, ")
    path.write_text(text)
    cache = StageCache(results.parent / "stages")
    here = resolve(path, cache=cache.folder)
    target = here.context.environment["processor"]
    other = "" if here.context.environment["bfloat16"] else " avx512_bf16"
    elsewhere = resolve(path, cache=cache.folder, kernel_target=target + other)
    (outcome,) = run_suites([elsewhere], [results], cache, SingleEngine(), 1, print)
    (reason,) = outcome.failures.values()
    assert "for bfloat16, this machine has" in reason
    named = reason.split("--processor '")[1].rstrip("'")
    assert resolve(path, cache=cache.folder, kernel_target=named).stages == here.stages


def test_another_processor_asks_for_a_device(suite_text: str, results: Path) -> None:
    path = results.parent / "suite.yaml"
    path.write_text(suite_text.replace("device: cpu", "device: auto"))
    with pytest.raises(InputError, match="say cpu or cuda"):
        resolve(path, cache=results.parent / "stages", kernel_target="NVIDIA X1")
