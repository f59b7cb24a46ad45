"""Suites on several GPUs: worker processes are real, GPUs are their ``CUDA_VISIBLE_DEVICES``."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.planning.plan import resolve
from cl_seg.suite.cache import StageCache
from cl_seg.suite.engines.job import _what_takes_less_memory
from cl_seg.suite.summary import summary

from ..gpus import install_gpus
from .conftest import run
from .test_run import only_naive, records

NETWORKS = "tests.suite.tiny_network:"


def test_four_stages_at_once_one_per_gpu_and_a_killed_worker_moves_its_stage(
    suite_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four workers wait for each other in their first stage, then that of GPU 2 is killed in it."""
    seen = tmp_path / "seen"
    seen.mkdir()
    monkeypatch.setenv("WORKERS_SEEN", str(seen))
    text = only_naive(suite_text) + "\norders: [[bright]]\nseeds: [0, 1, 2, 3]\n"
    waiting = text.replace(NETWORKS + "build", NETWORKS + "build_with_three_others")
    _, failed = run(waiting, tmp_path / "results", gpus=["0", "1", "2", "3"])
    assert not failed
    gpus_of_workers = [file.read_text().split() for file in seen.iterdir()]
    assert sorted(gpus[0] for gpus in gpus_of_workers) == ["0", "1", "2", "2", "3"]
    assert all(len(set(gpus)) == 1 for gpus in gpus_of_workers), "a worker stays on its GPU"
    disturbed = records(tmp_path / "results").values()
    (tmp_path / "alone").mkdir()
    run(text, tmp_path / "alone" / "results")
    undisturbed = records(tmp_path / "alone" / "results").values()
    assert [r.R for r in disturbed] == [r.R for r in undisturbed] and len(disturbed) == 4


@pytest.mark.parametrize("workers", [0, 1])
def test_a_stage_that_fills_the_gpu_says_what_to_change_and_stops_nothing_else(
    suite_text: str, tmp_path: Path, workers: int
) -> None:
    one = f'{{name: "{NETWORKS}build", learning_rate: 0.05}}'
    full = f'{{name: "{NETWORKS}build_full", learning_rate: 0.05}}'
    text = only_naive(suite_text).replace(one, f"{full}, {one}")
    _, failed = run(text, tmp_path / "results", workers)
    (reason,) = failed
    assert "the GPU's memory is full: try a smaller batch_size (now 4)" in reason
    assert "a smaller image size (now 32), or a smaller --per-gpu" in reason and "\n" not in reason
    (log,) = (tmp_path / "results" / "failed").iterdir()
    assert "Tried to allocate 2.00 GiB" in log.read_text()
    assert len(records(tmp_path / "results")) == 1


def test_the_how_to_shows_what_a_full_gpu_says() -> None:
    context = SimpleNamespace(
        training=SimpleNamespace(batch_size=8), image=SimpleNamespace(size=256)
    )
    run = SimpleNamespace(model=SimpleNamespace(name="unetr", preset="large"))
    said = _what_takes_less_memory(SimpleNamespace(context=context, run=run))  # type: ignore[arg-type]
    page = Path(__file__).parents[2] / "docs" / "how-to" / "gpus.md"
    assert said in " ".join(page.read_text().split())


def test_a_stage_has_the_same_key_on_any_gpu_of_a_model(
    suite_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_gpus(monkeypatch, tmp_path / "machine", "Large", "Large", "Display")

    def keys(device: str) -> list[str]:
        suite = tmp_path / "suite.yaml"
        suite.write_text(suite_text.replace("device: cpu", f"device: {device}"))
        return list(resolve(suite, cache=tmp_path / "stages").stages)

    assert keys("cuda:0") == keys("cuda:1")
    assert not {*keys("cuda:0")} & {*keys("cuda:2")}
    with pytest.raises(InputError, match="GPUs of several models"):
        keys("cuda")
    first = keys("cuda:0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert keys("cuda:1") == keys("cuda") == keys("auto") == first


def test_a_plan_tells_how_many_gpus_are_there_for_it(
    suite_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_gpus(monkeypatch, tmp_path / "machine", *["Some GPU"] * 4)
    cache = StageCache(tmp_path / "stages")
    (tmp_path / "suite.yaml").write_text(suite_text.replace("device: cpu", "device: cuda"))
    lines = list(summary([resolve(tmp_path / "suite.yaml", cache=cache.folder)], cache))
    assert "computed on Some GPU (cuda), 4 of 4 GPUs of this machine" in lines
