"""The Slurm engine against a simulated Slurm in which jobs vanish, are stopped, and lose results.

Nothing is computed: a stage is finished when the cache is told so.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cl_seg.files.write import write_json
from cl_seg.planning.plan import resolve
from cl_seg.planning.stages import Graph
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines import slurm
from cl_seg.suite.engines.job import JobOutcome
from cl_seg.suite.engines.slurm import SlurmEngine
from cl_seg.suite.engines.slurm_job import StageJob, end_file
from cl_seg.suite.engines.slurm_queue import Resources
from cl_seg.suite.stage_queue import StageQueue

from .conftest import tiny_suite

LOOKS = 3000


class Remembered(StageCache):
    """Knows by itself which stages are begun and finished: files are slow to remove."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.begun: set[str] = set()
        self.finished: set[str] = set()

    def has(self, key: str) -> bool:
        return key in self.finished

    def partial(self, key: str) -> Path:
        return self.folder if key in self.begun else self.folder / "nothing"


class Simulated:
    """Every look each running job does a stage, or does not, or meets with an accident."""

    def __init__(self, random: Random, cache: Remembered, accidents: int) -> None:
        self.random, self.cache, self.accidents = random, cache, accidents
        self.slots = random.choice([1, 2, 5, 50])
        self.jobs: dict[str, StageJob] = {}
        self.after: dict[str, Sequence[str]] = {}
        self.step: Counter[str] = Counter()
        self.running: set[str] = set()
        self.ended_well: dict[str, bool] = {}
        self.vanished: Counter[str] = Counter()
        self.cancelled_at_work: list[str] = []
        self.number = self.looks = 0

    def queue(
        self, folder: Path, jobs: Sequence[Any], after: Sequence[str], _: Resources, at_once: int
    ) -> list[str]:
        self.number += 1
        folder.mkdir(parents=True, exist_ok=True)
        ids = [f"{self.number}_{k}" for k in range(len(jobs))]
        self.jobs |= dict(zip(ids, jobs, strict=True))
        self.after |= dict.fromkeys(ids, after)
        return ids

    def cancel(self, ids: Iterable[str]) -> None:
        for job_id in ids:
            self.cancelled_at_work += [job_id] if job_id in self.running else []
            self.end(job_id, False)

    def end(self, job_id: str, well: bool, told: JobOutcome | None = None) -> None:
        job = self.jobs.pop(job_id, None)
        if job is not None:
            self.running.discard(job_id)
            self.ended_well[job_id] = well
            if told is not None:
                write_json(end_file(job.folder, job_id), asdict(told))

    def queued(self, names: Iterable[str]) -> dict[str, str]:
        self.looks += 1
        assert self.looks < LOOKS, "it never ends"
        for job_id in list(self.jobs):
            before = [self.ended_well.get(other) for other in self.after[job_id]]
            if False in before:
                self.end(job_id, False)  # kill-on-invalid-dep
            elif job_id in self.running or (all(before) and len(self.running) < self.slots):
                self.running.add(job_id)
                self.work(job_id)
        return {i: "RUNNING" if i in self.running else "PENDING" for i in self.jobs}

    def work(self, job_id: str) -> None:
        job, done, draw = self.jobs[job_id], self.step[job_id], self.random.random
        stage = job.stages[done]
        self.cache.begun.add(stage.key)
        if draw() < 0.4:
            return
        if self.accidents and draw() < 0.15:
            self.accidents -= 1
            kind = self.random.choice(["vanish", "stop", "damage"])
            if kind == "vanish":
                self.vanished[stage.key] += 1
                return self.end(job_id, False)
            if kind == "stop":
                return self.end(job_id, False, JobOutcome(done))
            finished = [s for s in job.stages[:done] if self.cache.has(s.key)]
            self.cache.finished -= {lost.key for lost in finished[:1]}
        missing = [need for need in stage.needed_keys if not self.cache.has(need)]
        if missing:
            return self.end(job_id, False, JobOutcome(done, damaged_key=missing[0]))
        self.cache.finished.add(stage.key)
        self.cache.begun.discard(stage.key)
        self.step[job_id] += 1
        if self.step[job_id] == len(job.stages):
            self.end(job_id, True, JobOutcome(len(job.stages)))
        return None


@pytest.fixture(scope="module")
def graph(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """All orders of three scanners; four strategies that branch after the first."""
    folder = tmp_path_factory.mktemp("simulated")
    more = "  - {name: ewc, label: other, settings: {ewc_lambda: 1, fisher_images: 4}}\n"
    text = tiny_suite(store).replace("  - joint\n", f"{more}  - joint\n") + "orders: all\n"
    (folder / "suite.yaml").write_text(text)
    return resolve(folder / "suite.yaml", cache=folder / "stages").graph


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3, 6, 100]), st.integers(0, 6))
@example(122, 6, 1)
@example(0, 100, 0)
def test_every_run_is_finished_or_has_failed(
    graph: Graph, seed: int, max_jobs: int, accidents: int
) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        cache = Remembered(Path(name))
        there = Simulated(Random(seed), cache, accidents)
        patch.setattr(slurm, "check_slurm", lambda: None)
        patch.setattr(os, "fsync", lambda _: None)
        for command in ("queue", "queued", "cancel"):
            patch.setattr(slurm, command, getattr(there, command))
        engine = SlurmEngine(Resources(), max_jobs, 1e9, lambda _: None, 0.0, 0.0)
        stage_queue = StageQueue(graph, graph.runs, set(), lambda _: 1.0, max_jobs)
        engine.compute_stages(
            stage_queue,
            cache,
            lambda stage: stage_queue.mark_finished(stage) and None,
            lambda: None,
        )
        assert not (stage_queue.unfinished_count or stage_queue.running or stage_queue.waiting)
        unlucky = any(count > 1 for count in there.vanished.values())
        for run in graph.runs:
            failed = stage_queue.failure_of(run) is not None
            assert failed != stage_queue.finished.issuperset(run.stage_keys)
            assert unlucky or not failed
        assert stage_queue.seconds_left == pytest.approx(0, abs=1e-6)
        if not accidents:
            assert not there.cancelled_at_work and there.number
