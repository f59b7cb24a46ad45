"""The Slurm engine on a queue that is only pretended: what it submits, and what it does about ends.

The jobs themselves are real. A real Slurm is in ``test_slurm_cluster.py``.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cl_seg.files.write import write_json
from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import resolve
from cl_seg.suite.cache import StageCache, state_file
from cl_seg.suite.engines import slurm
from cl_seg.suite.engines.job import JobOutcome, compute_job
from cl_seg.suite.engines.slurm import SlurmEngine
from cl_seg.suite.engines.slurm_job import StageJob, end_file, read_end
from cl_seg.suite.engines.slurm_queue import Resources, minutes_of, sbatch_options
from cl_seg.suite.run import SuiteOutcome, run_suites
from cl_seg.suite.stage_queue import Failure

from .conftest import run
from .test_run import records

NETWORKS = "tests.suite.tiny_network:"


class Queue:
    """One job is done at every look; what waits for a job that did not end well never starts."""

    def __init__(self) -> None:
        self.jobs: dict[str, StageJob] = {}
        self.after: dict[str, Sequence[str]] = {}
        self.log: list[tuple[str, int]] = []
        self.names: set[str] = set()
        self.submitted: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.cancelled: list[str] = []
        self.works = True
        self.refuses = ""
        self.before_job: Callable[[str, StageJob], bool] = lambda *_: True

    def queue(
        self, folder: Path, jobs: Sequence[Any], after: Sequence[str], _: Resources, at_once: int
    ) -> list[str]:
        if self.refuses:
            raise InputError(self.refuses)
        number = len(self.log) + 1
        ids = [f"{number}_{k}" for k in range(len(jobs))] if len(jobs) > 1 else [str(number)]
        self.jobs |= dict(zip(ids, jobs, strict=True))
        self.after |= dict.fromkeys(ids, after)
        self.log.append((",".join(after), len(jobs)))
        self.names.add(folder.name)
        self.submitted.update(stage.key for job in jobs for stage in job.stages)
        folder.mkdir(parents=True, exist_ok=True)
        return ids

    def queued(self, names: Iterable[str]) -> dict[str, str]:
        ready = [i for i in self.jobs if not any(a in self.jobs for a in self.after[i])]
        if self.works and ready:
            self.work(ready[0])
        return dict.fromkeys(self.jobs, "RUNNING")

    def work(self, job_id: str) -> None:
        job = self.jobs.pop(job_id)
        if self.broken & set(self.after[job_id]) or not self.before_job(job_id, job):
            self.broken.add(job_id)
            return
        end = compute_job(job.stages, job.cache, lambda: False, 1e9)
        write_json(end_file(job.folder, job_id), asdict(end))
        if end.finished < len(job.stages):
            self.broken.add(job_id)

    def cancel(self, ids: Iterable[str]) -> None:
        for job_id in ids:
            self.cancelled.append(job_id)
            self.jobs.pop(job_id, None)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Queue:
    there = Queue()
    monkeypatch.setattr(slurm, "check_slurm", lambda: None)
    for name in ("queue", "queued", "cancel"):
        monkeypatch.setattr(slurm, name, getattr(there, name))
    return there


def submit(text: str, folder: Path, max_jobs: int = 100) -> tuple[SuiteOutcome, list[str]]:
    """Run a suite on the pretended queue; its outcome and what was said."""
    folder.mkdir(exist_ok=True)
    (folder / "suite.yaml").write_text(text)
    said: list[str] = []
    engine = SlurmEngine(Resources(), max_jobs, 1e9, said.append, 0.0, 0.0)
    cache = StageCache(folder / "stages")
    plans = [resolve(folder / "suite.yaml", cache=cache.folder)]
    (outcome,) = run_suites(plans, [folder / "results"], cache, engine, 1, said.append)
    return outcome, said


def matrices(results: Path) -> dict[str, Any]:
    return {run_id: record.R for run_id, record in records(results).items()}


@pytest.fixture(scope="session")
def expected(store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """R of the tiny suite, computed in this process."""
    from .conftest import tiny_suite

    folder = tmp_path_factory.mktemp("expected")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "disabled")
        run(tiny_suite(store), folder / "results")
    return matrices(folder / "results")


def test_branches_are_arrays_that_wait_for_the_job_they_start_from(
    suite_text: str, tmp_path: Path, pretended: Queue, expected: dict[str, Any]
) -> None:
    outcome, said = submit(suite_text, tmp_path)
    assert not outcome.failures and not said
    assert matrices(tmp_path / "results") == expected
    # The untrained network, the first scanner and joint; then naive, replay and EWC from the second
    # on, all three after the first scanner.
    assert [size for _, size in pretended.log] == [3, 3]
    assert [bool(after) for after, _ in pretended.log] == [False, True]


def test_no_more_jobs_are_queued_than_allowed(
    suite_text: str, tmp_path: Path, pretended: Queue, expected: dict[str, Any]
) -> None:
    most = 0

    def count(*_: Any) -> bool:
        nonlocal most
        most = max(most, 1 + len(pretended.jobs))
        return True

    pretended.before_job = count
    submit(suite_text, tmp_path, max_jobs=2)
    assert matrices(tmp_path / "results") == expected and most == 2


def test_a_job_that_vanishes_once_is_queued_again_with_those_that_waited_for_it(
    suite_text: str, tmp_path: Path, pretended: Queue, expected: dict[str, Any]
) -> None:
    victims: list[str] = []

    def vanish(job_id: str, job: StageJob) -> bool:
        first = any(stage.kind == "train" for stage in job.stages) and not victims
        if first:
            victims.append(job_id)
        return not first

    pretended.before_job = vanish
    outcome, _ = submit(suite_text, tmp_path)
    assert not outcome.failures and victims and len(pretended.cancelled) == 3
    assert matrices(tmp_path / "results") == expected


def test_a_job_that_always_vanishes_fails_its_runs_with_its_log_and_no_other(
    suite_text: str, tmp_path: Path, pretended: Queue, expected: dict[str, Any]
) -> None:
    def vanish(job_id: str, job: StageJob) -> bool:
        if job.stages[0].run.strategy.name != "replay":
            return True
        (job.folder / f"{job_id}_0_log.out").write_text("out of memory\n")
        return False

    pretended.before_job = vanish
    outcome, _ = submit(suite_text, tmp_path)
    (failed,) = outcome.failures
    assert "replay" in failed and "ended without writing its result" in outcome.failures[failed]
    assert "out of memory" in (tmp_path / "results" / "failed" / f"{failed}.log").read_text()
    kept = {k: r for k, r in expected.items() if k != failed}
    assert matrices(tmp_path / "results") == kept


def test_a_stage_that_fails_fails_what_starts_from_it_and_nothing_else(
    suite_text: str, tmp_path: Path, pretended: Queue
) -> None:
    text = suite_text.replace(NETWORKS + "build", NETWORKS + "build_exploding")
    outcome, _ = submit(text, tmp_path)
    assert outcome.report is None and len(outcome.failures) == 4
    assert all("loss was not finite" in reason for reason in outcome.failures.values())
    assert len(pretended.cancelled) == 3


def test_a_damaged_stage_is_computed_again(
    suite_text: str, tmp_path: Path, pretended: Queue, expected: dict[str, Any]
) -> None:
    damaged: list[str] = []

    def damage(_: str, job: StageJob) -> bool:
        stage = job.stages[0]
        if stage.state_key and stage.kind == "train" and not damaged:
            (job.cache.folder_of(stage.state_key) / state_file(stage.state_position)).write_bytes(
                b"no state"
            )
            damaged.append(stage.state_key)
        return True

    pretended.before_job = damage
    outcome, _ = submit(suite_text, tmp_path)
    assert damaged and not outcome.failures
    assert matrices(tmp_path / "results") == expected


def test_the_same_command_waits_for_the_jobs_of_one_that_was_stopped(
    suite_text: str, tmp_path: Path, pretended: Queue, expected: dict[str, Any]
) -> None:
    def stop(*_: Any) -> bool:
        raise KeyboardInterrupt

    pretended.before_job = stop
    with pytest.raises(KeyboardInterrupt):
        submit(suite_text, tmp_path)
    assert len(pretended.jobs) == 5, "all but the one at work when the stop came"
    pretended.before_job = lambda *_: True
    _, said = submit(suite_text, tmp_path)
    # One more is done while the queue is asked for the first time.
    assert said == ["4 jobs of an earlier call are still in the queue"]
    assert matrices(tmp_path / "results") == expected
    assert sum(count - 1 for count in pretended.submitted.values()) == 3, "the untrained network"


def test_what_a_stopped_command_says(suite_text: str, tmp_path: Path, pretended: Queue) -> None:
    said: list[str] = []
    (tmp_path / "suite.yaml").write_text(suite_text)
    engine = SlurmEngine(Resources(), 100, 1e9, said.append, 0.0, 0.0)
    pretended.works = False

    def stop() -> None:
        raise KeyboardInterrupt

    from cl_seg.suite.stage_queue import StageQueue

    cache = StageCache(tmp_path / "stages")
    graph = resolve(tmp_path / "suite.yaml", cache=cache.folder).graph
    stage_queue = StageQueue(graph, graph.runs, set(), lambda stage: 1.0, 100)
    with pytest.raises(KeyboardInterrupt):
        engine.compute_stages(stage_queue, cache, lambda stage: None, stop)
    (name,) = pretended.names
    assert said == [
        "6 jobs go on in the queue: the same command waits for them again, "
        f"scancel --name={name} ends them"
    ]


def test_a_slurm_that_does_not_answer_costs_nothing(
    suite_text: str,
    tmp_path: Path,
    pretended: Queue,
    expected: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0
    answering = pretended.queued

    def sometimes(names: Iterable[str]) -> dict[str, str] | None:
        nonlocal looks
        looks += 1
        return answering(names) if looks % 3 == 0 else None

    monkeypatch.setattr(slurm, "queued", sometimes)
    outcome, _ = submit(suite_text, tmp_path)
    assert not outcome.failures and matrices(tmp_path / "results") == expected


def test_refused_jobs_are_one_clear_error_unless_others_are_queued(
    suite_text: str, tmp_path: Path, pretended: Queue, expected: dict[str, Any]
) -> None:
    pretended.refuses = "Slurm refused the jobs: invalid partition specified: nowhere"
    with pytest.raises(InputError, match="invalid partition"):
        submit(suite_text, tmp_path)

    def refuse_once(*_: Any) -> bool:
        pretended.refuses = "" if pretended.refuses else "Slurm refused the jobs: too many"
        return True

    pretended.refuses, pretended.before_job = "", refuse_once
    outcome, said = submit(suite_text, tmp_path, max_jobs=2)
    assert not outcome.failures and matrices(tmp_path / "results") == expected
    assert said[0] == "Slurm refused the jobs: too many; trying again later"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90),
        ("90:30", 90),
        ("4:00:00", 240),
        ("1-12", 36 * 60),
        ("1-12:30", 36 * 60 + 30),
        ("2-00:00:30", 2 * 24 * 60),
    ],
)
def test_time_limits_are_read_as_sbatch_reads_them(text: str, minutes: int) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", ["", "soon", "4h", "1", "0:00:30", "1:2:3:4", "-5"])
def test_other_time_limits_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--time"):
        minutes_of(text)


def test_options_for_sbatch() -> None:
    given = ["account=lab", "--mem=16G", "exclusive"]
    assert sbatch_options(given) == {"account": "lab", "mem": "16G", "exclusive": True}
    for wrong in ("", "=", "account=", "mem 16G"):
        with pytest.raises(InputError, match="NAME=VALUE"):
            sbatch_options([wrong])
    for own, instead in (("time", "use --time"), ("dependency", "cl_seg sets it itself")):
        with pytest.raises(InputError, match=instead):
            sbatch_options([f"{own}=5"])


def test_a_job_out_of_time_is_queued_again_unless_it_kept_nothing(
    suite_text: str, tmp_path: Path
) -> None:
    from .test_own_plugins import planned, plugin, with_strategies

    text = with_strategies(suite_text, "naive", plugin("Anchor"))
    stages = planned(text, tmp_path).stages.values()
    naive, whole = (
        next(s for s in stages if s.kind == "train" and s.resumable is not kept)
        for kept in (False, True)
    )
    cache, folder = StageCache(tmp_path / "stages"), tmp_path
    for stage, reason in ((naive, None), (whole, "give a longer --time")):
        job = StageJob((stage,), cache, folder, (), 30.0)
        again = job.checkpoint()
        assert (again is None) is not stage.resumable
        assert again is None or again.function == StageJob((stage,), cache, folder, (), 30.0)
        # What submitit raises when it cannot queue a job again is no failure of the stage.
        end = job.without_submitit(JobOutcome(0, Failure("CalledProcessError: scontrol", "log")))
        assert end.finished == 0 and not end.damaged_key
        assert (end.failure is None) if reason is None else (reason in str(end.failure))


def test_the_end_of_a_job_survives_its_file(tmp_path: Path) -> None:
    for end in (
        JobOutcome(3),
        JobOutcome(1, Failure("why", "log")),
        JobOutcome(0, damaged_key="key"),
    ):
        write_json(end_file(tmp_path, "7_1"), asdict(end))
        assert read_end(tmp_path, "7_1") == end
    end_file(tmp_path, "7_1").write_text(json.dumps({"unknown": 1}))
    assert read_end(tmp_path, "7_1") is None and read_end(tmp_path, "8") is None
