"""Which stage is worked on next, and what becomes of the others when one fails or is lost."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from cl_seg.planning.stages import Graph, Stage
from cl_seg.suite.stage_queue import MAX_DAMAGES, Failure, StageQueue
from tests.planning.test_stage_graph import several, stages_of


@pytest.fixture
def graph(store: Path, tmp_path: Path) -> Graph:
    return stages_of(several(store, "[naive, ewc]"), tmp_path)


def stage_queue(graph: Graph, finished: Iterable[str] = (), workers: int = 1) -> StageQueue:
    return StageQueue(graph, graph.runs, finished, lambda stage: float(stage.steps or 1), workers)


def work_off(one: StageQueue) -> list[Stage]:
    done = []
    while job := one.next_job():
        for stage in job:
            one.mark_finished(stage)
            done.append(stage)
    return done


def test_every_stage_once_and_after_what_it_needs(graph: Graph) -> None:
    one = stage_queue(graph)
    assert one.unfinished_count == len(graph.stages)
    seen: set[str] = set()
    for stage in work_off(one):
        assert stage.key not in seen and seen.issuperset(stage.needed_keys)
        seen.add(stage.key)
    assert (
        seen == graph.stages.keys() and len(one.complete_runs()) == 2 and not one.unfinished_count
    )


def test_runs_are_worked_off_in_their_order(store: Path, tmp_path: Path) -> None:
    seeds = several(store, "[naive]", seeds="[0, 1, 2, 3, 4, 5, 6, 7]")
    done = work_off(stage_queue(stages_of(seeds, tmp_path)))
    begun = list(dict.fromkeys(stage.run.seed for stage in done))
    first = [stage.run.seed for stage in done].index(1)
    assert begun[:5] == [0, 1, 2, 3, 4] and first == 3 + 12, "the first run is whole before"


def test_the_longest_way_goes_first_when_it_decides_the_end(graph: Graph) -> None:
    done = work_off(stage_queue(graph, workers=8))
    kinds = [stage.kind for stage in done]
    assert "evaluate" not in kinds[: kinds.count("train") + kinds.count("consolidate")]


def test_evaluations_of_a_state_are_one_job(graph: Graph) -> None:
    one = stage_queue(graph)
    sizes = []
    while job := one.next_job():
        sizes.append((job[0].kind, len(job)))
        for stage in job:
            one.mark_finished(stage)
    assert {size for kind, size in sizes if kind == "evaluate"} == {3}


def test_what_is_finished_is_not_done_again(graph: Graph) -> None:
    first = graph.runs[0].training_keys[0]
    done = work_off(stage_queue(graph, [first]))
    assert first not in {stage.key for stage in done} and len(done) == len(graph.stages) - 1
    assert not work_off(stage_queue(graph, graph.stages))


def test_a_lost_parent_is_made_again_only_where_it_is_needed(graph: Graph) -> None:
    first, second = graph.runs[0].training_keys[:2]
    everything_but = [key for key in graph.stages if key not in (first, second)]
    keys = [stage.key for stage in work_off(stage_queue(graph, everything_but))]
    assert keys == [first, second]
    memory = next(k for k, s in graph.stages.items() if s.kind == "consolidate")
    # what a memory took and keeps is in the record, so that a lost one is made again, it alone
    made = work_off(stage_queue(graph, [key for key in graph.stages if key != memory]))
    assert [stage.key for stage in made] == [memory]


def test_a_failure_stops_what_starts_from_it_and_nothing_else(graph: Graph) -> None:
    one = stage_queue(graph)
    failed = next(s for s in graph.stages.values() if s.kind == "consolidate" and s.position == 1)
    done: list[Stage] = []
    while job := one.next_job():
        for stage in job:
            if stage is failed:
                one.fail(stage, Failure("no luck"))
            else:
                one.mark_finished(stage)
                done.append(stage)
    naive, ewc = one.runs
    assert one.failure_of(naive) is None and naive in one.complete_runs()
    failure = one.failure_of(ewc)
    assert failure is not None and failure.reason == "no luck"
    untouched = [s for s in graph.stages.values() if not (s.uses_strategy and s.position >= 1)]
    assert {s.key for s in done} == {s.key for s in untouched}


def test_what_turns_out_to_be_lost_is_made_again(graph: Graph) -> None:
    first = graph.runs[0].training_keys[0]
    one = stage_queue(graph, [first])
    while (job := one.next_job()) and first not in job[0].needed_keys:
        for stage in job:
            one.mark_finished(stage)
    assert job is not None
    for stage in job:
        one.put_back(stage)
    one.mark_damaged(first)
    keys = [stage.key for stage in work_off(one)]
    assert keys.index(first) < keys.index(job[0].key) and len(set(keys)) == len(keys)
    assert len(one.complete_runs()) == 2


def test_what_is_lost_again_and_again_fails(graph: Graph) -> None:
    first = graph.runs[0].training_keys[0]
    one = stage_queue(graph)
    for _ in range(50):
        job = one.next_job()
        if job is None:
            break
        needs_it = first in job[0].needed_keys
        for stage in job:
            one.put_back(stage) if needs_it else one.mark_finished(stage)
        if needs_it:
            one.mark_damaged(first)
    assert all(one.failure_of(run) is not None for run in one.runs) and not one.unfinished_count


def test_what_is_under_way_is_not_put_on_the_list_again(graph: Graph) -> None:
    one = stage_queue(graph)
    job = one.next_job()
    assert job is not None
    one.require(job[0].key)
    assert job[0].key not in one.waiting


def test_results_that_several_miss_are_lost_once(graph: Graph) -> None:
    first = graph.runs[0].training_keys[0]
    one = stage_queue(graph, [first])
    for _ in range(2 * MAX_DAMAGES):
        one.mark_damaged(first)
    assert not one.failed and first in one.waiting
