"""A stream by months, from a store to its report: its experiences mix scanners."""

from pathlib import Path

import numpy as np
import pytest

from cl_seg.analysis.report.write import write_report
from cl_seg.analysis.tables import run_table
from cl_seg.planning.plan import resolve
from cl_seg.records.load import load_results
from cl_seg.records.results import RunResult
from cl_seg.runtime.serialise import from_bytes
from cl_seg.scans.rows import parse_ranges
from cl_seg.suite.cache import STRATEGY_STATE, StageCache
from cl_seg.suite.run_model import save_run_model
from cl_seg.suite.summary import summary

from .conftest import run, tiny_suite, write_store

MONTHS = {"bright": [0, 0, 2, 2, 4, 4], "dark": [2, 2, 2, 4, 4, 4], "plain": [0, 4, 4, 5, 5, 5]}
UNDEFINED = ["BWT", "FWT", "forgetting", "relative forgetting", "plasticity", "E-FWT", "RMA"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished suite by months; its stages are beside its results."""
    folder = tmp_path_factory.mktemp("months")
    store = write_store(folder / "months.store", months=MONTHS)
    strategies = "  - naive\n  - lwf\n  - adabn\n  - cumulative\n"
    text = tiny_suite(store).replace("  - naive\n", strategies).replace(":build", ":build_normed")
    _, failed = run(text + "experience: months\n", folder / "results")
    assert not failed
    return folder


def results_of(folder: Path) -> dict[str, RunResult]:
    return {run.run_id: run for run in load_results(folder / "results")}


def first_of(results: dict[str, RunResult], label: str) -> RunResult:
    return next(run for run in results.values() if run.record.spec.strategy.label == label)


@pytest.mark.slow
def test_rows_are_months_and_columns_scanners(folder: Path) -> None:
    results = results_of(folder)
    months = first_of(results, "naive").record.spec.months
    assert 2 < len(months) <= 4 and any(len(own) > 1 for own in months)
    for result in results.values():
        rows = 2 if result.is_joint else 1 + len(months)
        assert result.matrix().shape == (rows, 3) and np.isfinite(result.matrix()).all()
        assert result.record.schedule == ("joint" if result.is_joint else "months")
    cumulative = first_of(results, "cumulative").record.stages
    assert [stage.steps for stage in cumulative] == [12 * k for k in range(1, len(months) + 1)]
    assert [stage.steps for stage in first_of(results, "joint").record.stages] == [12 * len(months)]
    states = [first_of(results, label).record.states for label in ("naive", "cumulative", "ewc")]
    assert len({own[0] for own in states}) == 1, "the first month is trained on once"


@pytest.mark.slow
def test_an_experience_has_the_slices_of_its_month(folder: Path) -> None:
    plan = resolve(folder / "suite.yaml", cache=folder / "stages")
    replay = next(p for p in plan.runs if p.run.strategy.label == "replay")
    kept = StageCache(folder / "stages").read(replay.consolidation_keys[-1], STRATEGY_STATE)
    seen = from_bytes(kept, None)["seen"]
    slices = [
        sum(len(parse_ranges(plan.context.rows[s][part])) for s, part in replay.run.selection(k))
        for k in range(1, 1 + len(replay.consolidation_keys))
    ]
    assert seen == {str(k): count for k, count in enumerate(slices)}, "a share for every month"


@pytest.mark.slow
def test_scores_of_moments_are_not_defined(folder: Path) -> None:
    results = results_of(folder)
    table = run_table(list(results.values())).set_index("strategy")
    assert table.loc[["Naive", "Replay", "EWC", "Cumulative"], UNDEFINED].isna().all(axis=None)
    assert table[["stability_gap", "intransigence"]].isna().all(axis=None)
    assert table[["ACC", "worst_scanner"]].notna().all(axis=None)
    naive = first_of(results, "naive")
    assert table.loc["Naive", "ACC"] == pytest.approx(naive.matrix()[-1].mean())
    assert table.loc["Naive", "order"] == " > ".join(
        " + ".join(own) for own in naive.record.spec.months
    )
    page = write_report(folder / "results").read_text()
    assert "An experience is a month" in page and "Gained over fine-tuning" in page
    months = len(naive.record.spec.months)
    assert f"{months} months of Bright, Dark, Plain" in page and "Bright → Dark" not in page
    table_of_page = (folder / "results" / "summary.md").read_text()
    assert "not evaluable" not in table_of_page.partition("Joint")[0]
    assert "Forgetting curves" in page and "Marks are the months with slices of the scanner" in page


@pytest.mark.slow
def test_what_was_computed_is_not_computed_again(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.glob("stages/*/*")}
    said, failed = run((folder / "suite.yaml").read_text(), folder / "results")
    assert not failed
    assert {path: path.stat().st_mtime_ns for path in folder.glob("stages/*/*")} == before
    assert any("boundary is a choice of the calendar" in line for line in said)
    plan = resolve(folder / "suite.yaml", cache=folder / "stages")
    lines = list(summary([plan], StageCache(folder / "stages")))
    stream = " → ".join(" + ".join(own) for own in plan.runs[0].run.months)
    assert lines[0] == f"months: {stream}"


@pytest.mark.slow
def test_a_model_of_a_stream_by_months_can_be_saved(folder: Path, tmp_path: Path) -> None:
    naive = first_of(results_of(folder), "naive")
    runs = folder / "results/runs"
    card = save_run_model(runs / naive.run_id, tmp_path / "model", StageCache(folder / "stages"))
    assert card.scanners.keys() == set(MONTHS) and card.trained["experience"] == "months"


@pytest.mark.slow
@pytest.mark.parametrize("evaluate", ["seen", "every 2"])
def test_fewer_tests_of_a_stream_by_months(folder: Path, tmp_path: Path, evaluate: str) -> None:
    lines = f"experience: months\nevaluate: {evaluate}\nheld_out: [plain]\n"
    _, failed = run(tiny_suite(folder / "months.store") + lines, tmp_path / "results")
    assert not failed
    results = results_of(tmp_path)
    r = first_of(results, "naive").matrix()
    assert np.isfinite(r[-1]).all() and np.isnan(r).any() == (evaluate == "seen")
    row = run_table(list(results.values())).set_index("strategy").loc["Naive"]
    assert np.isfinite(row[["ACC", "unseen_before", "unseen_after"]].astype(float)).all()
    write_report(tmp_path / "results")
