"""Workers that die: their job is tried once more, and no other pays for it."""

from pathlib import Path

import pytest

from cl_seg.planning.gpus import CPU
from cl_seg.planning.plan import resolve
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.local import LocalEngine, _Worker

from .conftest import run
from .test_run import only_naive, records

NETWORKS = "tests.suite.tiny_network:"


def test_a_worker_that_dies_once_costs_nothing(
    suite_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIED_ALREADY", str(tmp_path / "died"))
    text = only_naive(suite_text).replace(NETWORKS + "build", NETWORKS + "build_dying_once")
    _, failed = run(text, tmp_path / "results", workers=1)
    assert not failed and (tmp_path / "died").exists()
    disturbed = records(tmp_path / "results")
    (tmp_path / "again").mkdir()
    run(text, tmp_path / "again" / "results")
    undisturbed = records(tmp_path / "again" / "results")
    assert {k: r.R for k, r in disturbed.items()} == {k: r.R for k, r in undisturbed.items()}


def test_a_worker_that_died_while_idle_is_noticed_at_its_next_job(
    suite_text: str, tmp_path: Path
) -> None:
    (tmp_path / "suite.yaml").write_text(suite_text)
    cache = StageCache(tmp_path / "stages")
    plan = resolve(tmp_path / "suite.yaml", cache=cache.folder)
    job = (next(iter(plan.stages.values())),)
    worker = _Worker(LocalEngine([CPU], 1, 30.0), CPU, cache)
    worker.process.kill()
    worker.process.join()
    worker.start(job)
    assert worker.outcome() == (job, None) and worker.job is None
