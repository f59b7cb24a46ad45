"""A stream that returns to a scanner: its record, its scores, its report, what is kept of it."""

import json
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pytest
import torch

from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import run_table
from cl_seg.planning.plan import Plan, resolve
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from cl_seg.runtime.serialise import from_bytes
from cl_seg.suite.cache import STRATEGY_STATE, StageCache

from .conftest import run

ORDER = ["bright", "dark", "bright", "plain"]
SUITE = """
kind: stream
name: returning
data: {{store: {store}}}
image: {{size: 32}}
split: {{test: 0.3, validation: 0.2}}
models: [{{name: "tests.suite.tiny_network:build_normed", learning_rate: 0.05}}]
strategies: [{strategies}]
orders: [[{order}]]
evaluate: {evaluate}
held_out: [{held_out}]
training: {{steps: 6, batch_size: 4, curve_every: 2, device: cpu}}
"""
KEEPING = (
    "norm_per_scanner, stale_statistics, adapters, {name: replay, settings: {budget: 6}}, "
    + ("{name: der, settings: {budget: 6}}")
)


def computed(
    store: Path, folder: Path, strategies: str, evaluate: str = "all", held_out: str = ""
) -> tuple[dict[str, RunResult], Plan, StageCache]:
    """Results by label of the strategy, with the plan and the stages they are made of."""
    order = ", ".join(scanner for scanner in ORDER if scanner != held_out)
    text = SUITE.format(
        store=store, strategies=strategies, order=order, evaluate=evaluate, held_out=held_out
    )
    _, failed = run(text, folder / "results")
    assert not failed
    results = load_results(folder / "results")
    cache = StageCache(folder / "stages")
    plan = resolve(folder / "suite.yaml", cache=cache.folder)
    return {one.record.spec.strategy.label: one for one in results}, plan, cache


@pytest.mark.slow
def test_rows_are_experiences_and_columns_scanners(store: Path, tmp_path: Path) -> None:
    results, _, _ = computed(store, tmp_path, "naive, cumulative, single, joint")
    naive = results["naive"]
    assert naive.scanners == ["bright", "dark", "plain"] and naive.matrix().shape == (5, 3)
    assert results["joint"].matrix().shape == (2, 3)
    steps = [stage.steps for stage in results["cumulative"].record.stages]
    assert steps == [6, 12, 12, 18]
    table = run_table(list(results.values())).set_index("strategy")
    r = naive.matrix()
    assert table.loc["Naive", "lost_before_return"] == r[1, 0] - r[2, 0]
    assert table.loc["Naive", "regained"] == r[3, 0] - r[2, 0]
    assert table.loc["Naive", "BWT"] == pytest.approx(
        ((r[4, 0] - r[1, 0]) + (r[4, 1] - r[2, 1])) / 2
    )
    assert table.loc[["Joint", "Single"], "regained"].isna().all()
    page = write_report(tmp_path / "results").read_text()
    assert "lost before return" in page and "Each mark is a training on that scanner" in page


@pytest.mark.slow
def test_what_a_return_needs_is_tested_whatever_else_is(store: Path, tmp_path: Path) -> None:
    results, _, _ = computed(store, tmp_path, "naive", "every 9")
    row = run_table([results["naive"]]).iloc[0]
    assert row[["ACC", "BWT", "FWT", "plasticity", "lost_before_return", "regained"]].notna().all()
    assert results["naive"].examples.keys() >= {f"{s}/ranked/learned" for s in set(ORDER)}


@pytest.mark.slow
def test_a_scanner_held_out_is_scored_beside_those_returned_to(store: Path, tmp_path: Path) -> None:
    results, plan, _ = computed(store, tmp_path, "naive", "seen", "plain")
    naive = results["naive"]
    assert plan.runs[0].tested_scanners == ("bright", "dark", "plain")
    assert naive.matrix().shape == (4, 2) and naive.on_held_out.matrix().shape == (4, 1)
    assert naive.on_held_out.first_visits == {"plain": 4}, "after the last experience"
    row = run_table(list(results.values())).iloc[0]
    assert row["unseen_after"] == naive.on_held_out.matrix()[3, 0]
    assert row["regained"] == naive.matrix()[3, 0] - naive.matrix()[2, 0]


@pytest.mark.slow
def test_what_is_kept_of_a_scanner_is_kept_once_and_replaced(store: Path, tmp_path: Path) -> None:
    results, plan, cache = computed(store, tmp_path, KEEPING)

    def kept(label: str, after: int) -> dict:
        planned = next(p for p in plan.runs if p.run.strategy.label == label)
        keys = planned.consolidation_keys or planned.training_keys  # adapters change in training
        return from_bytes(cache.read(keys[after - 1], STRATEGY_STATE), None)

    for label in ("norm_per_scanner", "adapters"):
        before, back, last = (kept(label, position) for position in (2, 3, 4))
        assert [set(state["parameters"]) for state in (before, back)] == [{0, 1}, {0, 1}]
        assert back["latest"] == 0 and last["latest"] == 3
        assert not _same(before["parameters"][0], back["parameters"][0]), "trained on again"
        assert _same(before["parameters"][1], back["parameters"][1])
        r = results[label].matrix()
        assert r[2, 0] == r[1, 0] and r[4, 0] == r[3, 0], "scored with its own parameters"
        assert r[3, 1] == r[2, 1]
    for label in ("replay", "der"):
        assert set(kept(label, 3)["memory"]) == {"0", "1"}
        assert [len(v) for v in kept(label, 3)["memory"].values()] == [3, 3]
    assert set(kept("stale_statistics", 4)["statistics"]) == {"0", "1", "3"}


def _same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in b if name in a)


@pytest.mark.slow
def test_a_run_that_returns_shares_its_beginning(store: Path, tmp_path: Path) -> None:
    _, _, cache = computed(store, tmp_path, "naive")
    text = SUITE.format(
        store=store, strategies="naive", order="bright, dark", evaluate="all", held_out=""
    )
    (tmp_path / "prefix.yaml").write_text(text)
    plan = resolve(tmp_path / "prefix.yaml", cache=cache.folder)
    trainings = [key for planned in plan.runs for key in planned.training_keys]
    assert set(trainings) <= cache.keys()
    record = json.loads(next((tmp_path / "results" / "runs").glob("*/run.json")).read_text())
    assert record["states"][:2] == trainings
