"""Chains: what nothing branches off goes out together, and a job never waits for itself."""

from pathlib import Path

from cl_seg.planning.plan import resolve
from cl_seg.planning.stages import Graph
from cl_seg.suite.chains import chains
from cl_seg.suite.stage_queue import Job


def planned(suite_text: str, folder: Path) -> Graph:
    (folder / "suite.yaml").write_text(suite_text)
    return resolve(folder / "suite.yaml", cache=folder / "stages").graph


def work(job: Job) -> list[tuple[str, str, int]]:
    """What a job trains and keeps, in order."""
    return [(s.kind, s.run.strategy.name, s.position) for s in job if s.kind != "evaluate"]


def test_every_stage_is_in_one_job_after_all_it_starts_from(
    suite_text: str, tmp_path: Path
) -> None:
    graph = planned(suite_text + "orders: all\n", tmp_path)
    jobs = chains(graph.stages.values())
    done: set[str] = set()
    for job in jobs:
        for stage in job:
            assert stage.key not in done and done.issuperset(stage.needed_keys)
            done.add(stage.key)
    assert done == graph.stages.keys()


def test_runs_are_chains_from_where_they_part(suite_text: str, tmp_path: Path) -> None:
    jobs = chains(planned(suite_text, tmp_path).stages.values())
    steps = [("consolidate", 1), ("train", 2), ("consolidate", 2), ("train", 3)]
    assert {tuple(work(job)) for job in jobs} == {
        (),  # the untrained network
        (("train", "naive", 1),),
        (("train", "naive", 2), ("train", "naive", 3)),
        *(tuple((kind, name, at) for kind, at in steps) for name in ("replay", "ewc")),
        (("train", "joint", 1),),
    }
    assert len(jobs) == 6


def test_without_a_branch_a_run_is_one_job(suite_text: str, tmp_path: Path) -> None:
    stages = planned(suite_text, tmp_path).stages
    naive = {k: s for k, s in stages.items() if s.run.strategy.name == "naive" and s.position}
    alone = chains(naive.values())
    assert [len(job) for job in alone] == [len(naive)]
    first = min(naive.values(), key=lambda stage: stage.position)
    rest = [s for s in naive.values() if s.position == 1 and s.key != first.key]
    assert [len(job) for job in chains(rest)] == [3], "evaluations of a state that is there"
