"""What happens when files are damaged, edited or gone: one clear outcome, nothing lost."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import Plan, resolve
from cl_seg.suite.cache import StageCache, state_file
from cl_seg.suite.engines.single import SingleEngine
from cl_seg.suite.run import run_suites

from .conftest import made_with, run
from .test_run import only_naive, records

NAIVE, REPLAY = "build-naive-order1-seed0", "build-replay-order1-seed0"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def with_replay(text: str) -> str:
    return "\n".join(x for x in text.splitlines() if "ewc" not in x and "joint" not in x)


def planned(text: str, folder: Path) -> tuple[Plan, StageCache]:
    (folder / "suite.yaml").write_text(text)
    return resolve(folder / "suite.yaml", cache=folder / "stages"), StageCache(folder / "stages")


def written(cache: StageCache) -> dict[str, int]:
    return {
        key: (cache.folder_of(key) / "stage.json").stat().st_mtime_ns
        for key in sorted(cache.keys())
    }


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_an_extended_and_a_shortened_suite_keep_what_there_is(
    suite_text: str, results: Path
) -> None:
    run(only_naive(suite_text), results)
    cache = StageCache(results.parent / "stages")
    naive, before = records(results)[NAIVE], written(cache)
    said, _ = run(with_replay(suite_text), results)
    assert said == ["1 of 2 runs are finished already"]
    assert records(results)[NAIVE] == naive
    assert before.items() < written(cache).items()
    said, _ = run(only_naive(suite_text), results)
    assert said == ["1 of 1 run is finished already"]
    assert "Replay" not in (results / "summary.md").read_text()
    assert REPLAY in records(results), "a record that is not asked for is not removed"


def test_a_record_is_enough_when_the_stages_are_gone(suite_text: str, results: Path) -> None:
    run(only_naive(suite_text), results)
    shutil.rmtree(results.parent / "stages")
    said, failed = run(only_naive(suite_text), results)
    assert said == ["1 of 1 run is finished already"] and not failed
    assert not StageCache(results.parent / "stages").keys()


def test_stages_are_enough_when_the_record_is_gone(suite_text: str, results: Path) -> None:
    run(only_naive(suite_text), results)
    cache = StageCache(results.parent / "stages")
    first, before = records(results)[NAIVE].R, written(cache)
    shutil.rmtree(results)
    run(only_naive(suite_text), results)
    assert first == records(results)[NAIVE].R and written(cache) == before


@pytest.mark.parametrize("damaged", ["state", "scores"])
def test_a_flipped_byte_is_computed_again(
    suite_text: str, results: Path, tmp_path: Path, damaged: str
) -> None:
    run(only_naive(suite_text), results)
    text = with_replay(suite_text)
    plan, cache = planned(text, tmp_path)
    naive = plan.runs[0]
    if damaged == "state":
        key, name = naive.training_keys[0], state_file(1)
    else:
        key, name = naive.evaluation_keys[1][0], "cases.parquet"
    before = written(cache)
    flip(cache.folder_of(key) / name)
    _, failed = run(text, results)
    assert not failed
    assert len(list((cache.folder / "damaged").iterdir())) == 1
    assert {k for k, t in before.items() if written(cache)[k] != t} == {key}
    undisturbed = tmp_path / "elsewhere" / "results"
    undisturbed.parent.mkdir()
    run(text, undisturbed)
    for run_id, record in records(undisturbed).items():
        assert records(results)[run_id].R == record.R


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"])
def test_a_truncated_checkpoint_costs_its_steps_only(
    suite_text: str, results: Path, tmp_path: Path, content: bytes
) -> None:
    plan, cache = planned(only_naive(suite_text), tmp_path)
    partial = cache.working_folder(plan.runs[0].training_keys[1])
    partial.mkdir(parents=True)
    (partial / "checkpoint.pt").write_bytes(content)
    _, failed = run(only_naive(suite_text), results)
    assert not failed and not partial.exists()


def test_a_store_that_changed_while_the_suite_runs(
    suite_text: str, store: Path, results: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "changing.store"
    shutil.copytree(store, copy)
    text = only_naive(suite_text).replace(str(store), str(copy))
    plan, cache = planned(text, tmp_path)
    labels = np.load(copy / "dark" / "labels.npy")

    class ChangesFirst(SingleEngine):
        def compute_stages(self, *arguments: Any) -> None:
            labels[0, 0, 0] = 2
            np.save(copy / "dark" / "labels.npy", labels)
            super().compute_stages(*arguments)

    (outcome,) = run_suites([plan], [results], cache, ChangesFirst(), 1, lambda _: None)
    assert outcome.report is None
    (reason,) = outcome.failures.values()
    assert reason == f"{copy} has changed since the suite was planned: run it again"
    assert not cache.keys(), "nothing computed from the changed store is kept"
    with pytest.raises(InputError, match=r"was changed after it was made.*ingest again"):
        run(text, results)
    made_with(copy)
    said, failed = run(text, results)
    assert not said and not failed


def test_stages_in_a_place_that_cannot_be_written(suite_text: str, results: Path) -> None:
    (results.parent / "stages").write_text("a file in the way")
    with pytest.raises(InputError, match=r"cannot write .*stages"):
        run(only_naive(suite_text), results)
    assert not results.exists()


def test_results_in_a_place_that_cannot_be_written(suite_text: str, results: Path) -> None:
    results.write_text("a file in the way")
    with pytest.raises(InputError, match=r"cannot write .*in the way"):
        run(only_naive(suite_text), results)


@pytest.mark.slow
def test_two_processes_run_the_same_suite_at_once(suite_text: str, tmp_path: Path) -> None:
    from .crash import finished, new_round, start
    from .crash import results as measured

    both = new_round(tmp_path, "both", with_replay(suite_text))
    processes = [start(both), start(both)]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    one = new_round(tmp_path, "one", with_replay(suite_text))
    single = start(one)
    single.communicate(timeout=300)
    assert measured(both) == measured(one)
    assert finished(both).keys() == finished(one).keys()
    assert not list((both / "data" / "stages" / "partial").glob("*"))


@pytest.mark.slow
def test_a_stop_saves_the_training_and_goes_on(suite_text: str, tmp_path: Path) -> None:
    import signal

    from .crash import new_round, start
    from .crash import results as measured

    text = only_naive(suite_text).replace("steps: 12", "steps: 1500")
    folder = new_round(tmp_path, "stopped", text)
    process = start(folder)
    partial = folder / "data" / "stages" / "partial"
    deadline = time.monotonic() + 60
    while not list(partial.glob("*/progress.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)  # a background shell may have SIGINT ignored
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "run the same command again to continue" in output
    assert list(partial.glob("*/checkpoint.pt"))
    assert not list(folder.glob("results/tiny/runs/*"))
    again = start(folder)
    again.communicate(timeout=120)
    whole = new_round(tmp_path, "whole", text)
    start(whole).communicate(timeout=120)
    assert measured(folder) == measured(whole)
