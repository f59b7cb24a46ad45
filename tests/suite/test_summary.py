"""What is said of a plan, of its progress, and of the cache."""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from cl_seg.planning.plan import resolve
from cl_seg.suite.cache import StageCache
from cl_seg.suite.durations import Durations
from cl_seg.suite.progress import read_progress, write_progress
from cl_seg.suite.run import recorded_runs
from cl_seg.suite.stage_queue import StageQueue
from cl_seg.suite.summary import (
    cache_lines,
    expected_seconds,
    json_summary,
    progress_lines,
    summary,
)
from cl_seg.suite.view import View, duration_text

from .conftest import run


def test_before_and_after_a_run(suite_text: str, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(suite_text)
    cache = StageCache(tmp_path / "stages")
    plan = resolve(tmp_path / "suite.yaml", cache=cache.folder)
    lines = list(summary([plan], cache))
    assert lines[0] == "order1: bright → dark → plain"
    assert lines[1] == "build-naive-order1-seed0  12 + 12 + 12 steps"
    of_a_scanner = "train 3 patients (9 slices), validation 1 patient (3 slices)"
    assert any(x.startswith("bright: ") and of_a_scanner in x for x in lines), lines
    expected = "4 runs, 39 stages: 8 trainings of 120 optimiser steps in all"
    assert lines[-2] == f"{expected}; sharing saves 2 trainings"
    assert lines[-1].endswith("39 are left, for how long is not known yet")
    assert next(iter(progress_lines([plan], cache))).startswith("tiny: 0 of 4 runs are finished")

    run(suite_text, tmp_path / "results")
    assert list(summary([plan], cache))[-1].endswith("nothing is left to compute")
    assert next(iter(progress_lines([plan], cache))).startswith("tiny: 4 of 4 runs are finished")
    assert list(cache_lines(cache))[-1].startswith("39 stages, ")

    recorded = recorded_runs([plan], [tmp_path / "results"])
    shutil.rmtree(tmp_path / "stages")
    lines = list(summary([plan], cache, recorded))
    assert lines[-2:] == [
        "4 of 4 runs are finished already",
        "0 stages are finished already; nothing is left to compute",
    ]
    status = list(progress_lines([plan], cache, recorded))
    assert status[0] == "tiny: 4 of 4 runs are finished" and "nothing is left" in status[-1]
    run(suite_text, tmp_path / "others")

    longer = suite_text.replace("steps: 12", "steps: 1200")
    (tmp_path / "longer.yaml").write_text(longer)
    other = resolve(tmp_path / "longer.yaml", cache=cache.folder)
    estimate = list(summary([other], cache))[-1]
    assert "about " in estimate and "on one worker" in estimate


def test_json_is_for_machines(suite_text: str, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(suite_text)
    cache = StageCache(tmp_path / "stages")
    plan = resolve(tmp_path / "suite.yaml", cache=cache.folder)
    content = json.loads(json_summary([plan], cache))
    assert content["trainings"] == 8 and content["trainings_saved"] == 2
    assert content["seconds_left_on_one_worker"] == 0
    assert content["stages_of_unknown_duration"] == len(content["stages"])
    for one in content["runs"]:
        assert set(one["trained"]) <= content["stages"].keys()
    assert not any(stage["finished"] for stage in content["stages"].values())


def test_a_begun_stage_is_told_with_its_step(suite_text: str, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(suite_text)
    cache = StageCache(tmp_path / "stages")
    plan = resolve(tmp_path / "suite.yaml", cache=cache.folder)
    partial = cache.working_folder(plan.runs[0].training_keys[0])
    partial.mkdir(parents=True)
    write_progress(partial, 5, 12, 0.1, [])
    lines = list(progress_lines([plan], cache))
    assert any(x.startswith("stopped: train") and x.endswith("step 5 of 12") for x in lines)
    assert "5 of 120 optimiser steps done" in lines[-1]


def test_what_is_done_of_a_begun_stage_takes_no_more_time(suite_text: str, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(suite_text)
    cache = StageCache(tmp_path / "stages")
    plan = resolve(tmp_path / "suite.yaml", cache=cache.folder)
    stage = plan.graph.stages[plan.runs[0].training_keys[0]]
    cache.working_folder(stage.key).mkdir(parents=True)
    write_progress(cache.working_folder(stage.key), 9, 12, 10.0, [])
    assert expected_seconds([stage], cache) == (pytest.approx(30.0), 0)


def test_progress_holds_the_dice_of_the_latest_point(tmp_path: Path) -> None:
    assert read_progress(tmp_path) == {}
    rows = [
        {"step": step, "overlap": overlap, "predicted": 10, "true": true}
        for step, overlap, true in ((5, 0, 10), (10, 5, 10), (10, 10, 10), (10, 0, -10))
    ]
    write_progress(tmp_path, 11, 20, 0.5, rows)
    expected = {"step": 11, "steps": 20, "seconds_per_step": 0.5, "dice": pytest.approx(0.75)}
    assert read_progress(tmp_path) == expected
    (tmp_path / "progress.json").write_text("{")
    assert read_progress(tmp_path) == {}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (90, "2 min"), (12000, "3 h 20 min")]
)
def test_durations_are_told_as_people_do(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def view_of(suite_text: str, folder: Path, terminal: bool) -> tuple[View, io.StringIO]:
    """The view of a suite of which nothing is done, and where it writes."""
    (folder / "suite.yaml").write_text(suite_text)
    cache = StageCache(folder / "stages")
    graph = resolve(folder / "suite.yaml", cache=cache.folder).graph
    durations, written = Durations(), io.StringIO()
    stage_queue = StageQueue(graph, graph.runs, [], durations.seconds, 1)
    console = Console(file=written, force_terminal=terminal, width=160)
    return View(stage_queue, cache, durations, console), written


@pytest.mark.parametrize("terminal", [True, False])
def test_the_view_tells_what_runs_and_what_is_done(
    suite_text: str, tmp_path: Path, terminal: bool
) -> None:
    view, written = view_of(suite_text, tmp_path, terminal)
    stage_queue, cache = view.stage_queue, view.cache
    with view.showing():
        job = stage_queue.next_job()
        assert job is not None
        cache.working_folder(job[0].key).mkdir(parents=True)
        rows = [{"step": 3, "overlap": 5, "predicted": 10, "true": 10}]
        write_progress(cache.working_folder(job[0].key), 4, 12, 0.1, rows)
        view.update()
        for stage in job:
            stage_queue.mark_finished(stage)
            view.on_finished(stage)
    text = written.getvalue()
    assert "left" in text
    if terminal:
        assert "stages" in text
    else:
        assert text.startswith("1/39 ") and len(text.splitlines()) == len(job)


def test_the_time_left_follows_from_the_training_under_way(suite_text: str, tmp_path: Path) -> None:
    view, written = view_of(suite_text, tmp_path, terminal=False)
    stage_queue, cache, graph = view.stage_queue, view.cache, view.stage_queue.graph
    stages = [s for s in graph.stages.values() if s.kind == "train"]
    view.on_finished(graph.stages[graph.runs[0].evaluation_keys[0][0]])
    assert "time left not known yet" in written.getvalue()
    stage_queue.mark_started(stages[0])
    cache.working_folder(stages[0].key).mkdir(parents=True)
    write_progress(cache.working_folder(stages[0].key), 6, 12, 10.0, [])
    view.on_finished(graph.stages[graph.runs[0].evaluation_keys[0][0]])
    # 8 trainings, one of them three times as long and one of them half done, 10 s per step.
    minutes = (7.5 + 2) * 12 * 10 / 60
    assert f"about {minutes:.0f} min left" in written.getvalue()
